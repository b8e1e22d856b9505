//! A machine of a test's own making: a few files below a directory that goes when the test ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use super::Root;

pub(crate) struct Tree(PathBuf);

impl Tree {
    /// A new directory with these files, each given as path below the directory and text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("loky-machine-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let tree = Self(env::temp_dir().join(name));
        fs::create_dir(&tree.0).expect("the name is new");
        files.iter().for_each(|(path, text)| write(&tree.0.join(path), text));
        tree
    }

    /// A file that is new, or other than before.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.0.join(path), text);
    }

    pub(crate) fn root(&self) -> Root<'_> {
        Root(&self.0)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("nobody else removes the directory");
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("the path lies below the tree")).expect("the tree can be written");
    fs::write(path, text).expect("the tree can be written");
}
