//! The lock file of the guests, beside ours: all that they need we need, too, in the same version. So guests are built from
//! what we test; and without the network, since whoever runs this test has fetched what we need.

use std::collections::BTreeMap;
use std::path::PathBuf;

use loky_tests::{Case, cases};

use super::guests;

pub(crate) const CASES: &[Case] = cases![guests_13_their_lock_file_agrees_with_ours];

fn guests_13_their_lock_file_agrees_with_ours() {
    let read = |path: PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let (theirs, ours) = (read(guests().join("Cargo.lock")), read(guests().join("../../Cargo.lock")));
    let (theirs, ours) = (locked(&theirs), locked(&ours));
    assert!(theirs.len() > 5, "{theirs:?}");
    theirs.iter().for_each(|(package, version)| assert_eq!(Some(version), ours.get(package), "{package:?}"));
}

/// The version of each package that comes from elsewhere, by its name and by the numbers that versions which can stand in
/// for each other have in common.
fn locked(lock: &str) -> BTreeMap<(&str, &str), &str> {
    let fetched = lock.split("[[package]]").skip(1).filter(|package| package.contains("\nsource = "));
    let packages = fetched.map(|package| {
        let field = |name| package.lines().find_map(|line| line.strip_prefix(name)?.strip_suffix('"'));
        (field("name = \"").expect("a name"), field("version = \"").expect("a version"))
    });
    packages.map(|(name, version)| ((name, series(version)), version)).collect()
}

/// `1` of `1.2.3`, and `0.2` of `0.2.3`.
fn series(version: &str) -> &str {
    let numbers = if version.starts_with("0.") { 2 } else { 1 };
    version.match_indices('.').nth(numbers - 1).map_or(version, |(end, _)| &version[..end])
}
