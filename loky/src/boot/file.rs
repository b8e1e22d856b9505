//! The last resort of ranks whose launcher lets them exchange nothing: a file in a home that all nodes share.
//!
//! Only its owner can read it, and only an owner's file is believed. Its name says which run it is of; an allocation that
//! runs again can still find the file of a run that was killed, so what it says is no more than a hint: it is read again
//! until a driver has answered. The driver writes it under another name first, so that nobody reads half of it, and removes
//! it when it ends.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::invitation::LENGTH_MAX;
use super::variables::Variables;
use crate::sys::process;

/// Below the home of the user.
const FOLDER: &str = ".loky";

/// How often to look for a file that is not there: many nodes ask one server.
const PAUSE: Duration = Duration::from_millis(100);

/// Where the file of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    folder: PathBuf,
    name: String,
}

/// A file that goes when this does.
#[derive(Debug)]
pub(super) struct Published {
    path: PathBuf,
    inode: u64,
}

impl Place {
    pub(super) fn new(variables: &Variables, name: &str) -> Result<Self, String> {
        let home = variables.get("HOME").ok_or("the variable HOME, below which ranks find each other, is not set")?;
        Ok(Self { folder: Path::new(home).join(FOLDER), name: name.to_owned() })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    pub(super) fn publish(&self, words: &str) -> io::Result<Published> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        check_owner(&fs::symlink_metadata(&self.folder)?, &self.folder, 0o022)?;
        let draft = self.folder.join(format!(".{}.{}", self.name, std::process::id()));
        // What a killed process of the same number has left there.
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(words.as_bytes())?;
        file.sync_all()?;
        let inode = file.metadata()?.ino();
        fs::rename(&draft, self.path()).inspect_err(|_| _ = fs::remove_file(&draft))?;
        Ok(Published { path: self.path(), inode })
    }

    /// What the driver has written; waits for it until `until`.
    pub(super) fn read(&self, until: Instant) -> Result<String, String> {
        loop {
            // A client of NFS may remember for a while that a file is not there, unless it lists the folder.
            let is_listed = fs::read_dir(&self.folder).is_ok_and(|entries| {
                entries.flatten().any(|entry| entry.file_name().to_str() == Some(self.name.as_str()))
            });
            match is_listed.then(|| self.read_now()) {
                Some(Ok(words)) => return Ok(words),
                Some(Err(why)) if why.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{} cannot be believed: {why}", self.path().display()));
                }
                _ => {}
            }
            if Instant::now() >= until {
                return Err(format!(
                    "its driver has not written {} in time; is the home the same on all nodes? `srun --mpi=pmi2` \
                     and `--mpi=pmix` need none",
                    self.path().display()
                ));
            }
            thread::sleep(PAUSE);
        }
    }

    fn read_now(&self) -> io::Result<String> {
        check_owner(&fs::symlink_metadata(&self.folder)?, &self.folder, 0o022)?;
        let path = self.path();
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let file = File::open(&path)?;
        check_owner(&file.metadata()?, &path, 0o077)?;
        let mut words = String::new();
        file.take(LENGTH_MAX as u64).read_to_string(&mut words)?;
        Ok(words)
    }
}

/// Whether it is ours, and nobody else has any of the rights in `others`.
fn check_owner(metadata: &Metadata, path: &Path, others: u32) -> io::Result<()> {
    if metadata.uid() != process::user_id() {
        return Err(io::Error::other(format!("{} belongs to user {}", path.display(), metadata.uid())));
    }
    if metadata.mode() & others != 0 {
        return Err(io::Error::other(format!("others have rights on {}", path.display())));
    }
    Ok(())
}

impl Drop for Published {
    fn drop(&mut self) {
        // Another run may have put its own in the place of ours.
        if fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A home that goes away by itself.
    struct Home(PathBuf);

    impl Home {
        fn new(name: &str) -> (Self, Place) {
            let home = std::env::temp_dir().join(format!("loky-boot-{name}-{}", std::process::id()));
            fs::create_dir_all(&home).unwrap();
            let place = Place::new(&Variables::default().with("HOME", home.to_str().unwrap()), "c.1.0.0").unwrap();
            (Self(home), place)
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(250)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_published_is_read_and_removed() {
        let (_home, place) = Home::new("good");
        let published = place.publish("words").unwrap();
        assert_eq!(fs::metadata(place.path()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&place.folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(place.read(soon()), Ok("words".to_owned()));
        drop(published);
        assert!(place.read(soon()).unwrap_err().contains("in time"));
        assert_eq!(fs::read_dir(&place.folder).unwrap().count(), 0);
    }

    #[test]
    fn who_comes_first_waits() {
        let (_home, place) = Home::new("early");
        let theirs = place.clone();
        let reader = thread::spawn(move || theirs.read(Instant::now() + Duration::from_secs(20)));
        thread::sleep(Duration::from_millis(50));
        let _published = place.publish("words").unwrap();
        assert_eq!(reader.join().unwrap(), Ok("words".to_owned()));
    }

    #[test]
    fn that_of_another_run_is_not_removed() {
        let (_home, place) = Home::new("stale");
        let old = place.publish("old").unwrap();
        let _new = place.publish("new").unwrap();
        drop(old);
        assert_eq!(place.read(soon()), Ok("new".to_owned()));
    }

    #[test]
    fn what_others_could_have_written_or_read_is_not_believed() {
        let (home, place) = Home::new("open");
        let _published = place.publish("words").unwrap();
        for mode in [0o644, 0o620, 0o660] {
            set_mode(&place.path(), mode);
            assert!(place.read(soon()).unwrap_err().contains("others have rights"), "{mode:o}");
        }
        set_mode(&place.path(), 0o600);
        set_mode(&place.folder, 0o777);
        assert!(place.read(soon()).unwrap_err().contains("others have rights"));
        set_mode(&place.folder, 0o700);
        assert_eq!(place.read(soon()), Ok("words".to_owned()));
        let elsewhere = home.0.join("elsewhere");
        fs::rename(place.path(), &elsewhere).unwrap();
        symlink(&elsewhere, place.path()).unwrap();
        assert!(place.read(soon()).unwrap_err().contains("not a file"));
    }
}
