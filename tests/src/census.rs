//! Counts what a process has before and after something, as a rule a case, and names whatever is left over.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{GRACE, procfs, within};

/// Runs the body and panics if afterwards this process has a child, thread, descriptor, temporary file or shared
/// memory object more than before.
pub fn leaves_nothing(body: impl FnOnce()) {
    let before = Census::take();
    body();
    if within(GRACE, || Census::take().beyond(&before).is_empty().then_some(())).is_none() {
        let left = Census::take().beyond(&before);
        let doing = procfs::dump(std::process::id());
        assert!(left.is_empty(), "{GRACE:?} after the case there is still:\n  {}\n{doing}", left.join("\n  "));
    }
}

/// Everything that a case can leave behind, by a name that is stable while it exists.
struct Census(BTreeMap<String, String>);

impl Census {
    fn take() -> Self {
        let mut found = BTreeMap::new();
        let threads = procfs::threads();
        found.extend(threads.into_iter().map(|(id, name)| (format!("thread {id}"), name)));
        let descriptors = procfs::descriptors();
        found.extend(descriptors.into_iter().map(|(number, target)| (format!("descriptor {number} {target}"), target)));
        let children = procfs::children(std::process::id());
        found.extend(children.into_iter().map(|child| (format!("child {}", child.pid), format!("{child:?}"))));
        for folder in [Path::new("/dev/shm"), &std::env::temp_dir()] {
            let names = procfs::names_in(folder);
            found.extend(names.into_iter().map(|name| (format!("file {name} in {}", folder.display()), name)));
        }
        Self(found)
    }

    /// What is here and was not there.
    fn beyond(&self, before: &Self) -> Vec<String> {
        let new = self.0.iter().filter(|(key, _)| !before.0.contains_key(*key));
        new.map(|(key, what)| format!("{key} ({what})")).collect()
    }
}
