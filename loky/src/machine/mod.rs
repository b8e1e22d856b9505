//! What the kernel tells of this machine in files, and where those are.
//!
//! All of it is pure over the text of files below a root directory, so that a test can hand it a machine of its own
//! making. What the figures are for is not known here.

pub(crate) mod cgroup;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod oom;

use std::fs;
use std::path::Path;

/// The directory that stands for `/`: the real one, or a tree that a test has made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a>(&'a Path);

impl Root<'_> {
    pub(crate) fn machine() -> Root<'static> {
        Root(Path::new("/"))
    }

    /// The text of the file at this absolute path, or nothing where it cannot be read.
    pub(crate) fn read(self, absolute: &Path) -> Option<String> {
        let below = absolute.strip_prefix("/").ok()?;
        let bytes = fs::read(self.0.join(below)).ok()?;
        // The list of mounts carries file names, which need not be UTF-8.
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}
