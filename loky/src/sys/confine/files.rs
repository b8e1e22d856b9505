//! Forbids to change files, but for those below some paths, by Landlock.
//!
//! The kernel must know the rights of version 3, or there would be a way to truncate what cannot be written to. What
//! Landlock does not know, the modes, owners, times and attributes of files, is forbidden in [`calls`](super::calls).

use std::ffi::OsString;
use std::io;
use std::path::Path;

use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
};

/// Linux 6.2.
const VERSION: ABI = ABI::V3;

/// What is written there changes nothing, and programs expect to be able to.
const NOWHERE: &str = "/dev/null";

/// From now on files are written to, made, removed, renamed and cut below these paths alone, by this thread and what it
/// starts. Each must be there.
pub(crate) fn read_only_but(writable: &[OsString]) -> io::Result<()> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(VERSION))
        .and_then(Ruleset::create)
        .map_err(|why| io::Error::other(format!("the kernel needs Landlock as of Linux 6.2: {why}")))?;
    for path in writable.iter().map(Path::new).chain([Path::new(NOWHERE)]) {
        let why = |why: &dyn std::fmt::Display| io::Error::other(format!("`{}`: {why}", path.display()));
        let rights = rights_to_write(path).map_err(|error| why(&error))?;
        let place = PathFd::new(path).map_err(|error| why(&error))?;
        rules = rules.add_rule(PathBeneath::new(place, rights)).map_err(|error| why(&error))?;
    }
    rules.restrict_self().map(drop).map_err(io::Error::other)
}

/// To a file they are fewer than to a folder.
fn rights_to_write(path: &Path) -> io::Result<BitFlags<AccessFs>> {
    let all = AccessFs::from_write(VERSION);
    Ok(if path.metadata()?.is_dir() { all } else { all & AccessFs::from_file(VERSION) })
}
