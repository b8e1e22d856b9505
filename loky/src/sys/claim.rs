//! A file that is this process's alone to write.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::errno::Errno;
use nix::libc;

/// Opens the file, or makes it; what is in it stays. `None`: another process has claimed it, and still has it open.
pub(crate) fn claim(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    // SAFETY: the descriptor is open while `file` lives.
    match Errno::result(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
        Ok(_) => Ok(Some(file)),
        Err(Errno::EWOULDBLOCK) => Ok(None),
        // Some file systems have no locks. Better a file that two may write than none.
        Err(_) => Ok(Some(file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_it_and_nothing_is_lost() {
        let path = std::env::temp_dir().join(format!("loky-claim-{}", std::process::id()));
        std::fs::write(&path, "before").unwrap();
        let claimed = claim(&path).unwrap().unwrap();
        assert!(claim(&path).unwrap().is_none());
        drop(claimed);
        assert!(claim(&path).unwrap().is_some());
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        std::fs::remove_file(&path).unwrap();
    }
}
