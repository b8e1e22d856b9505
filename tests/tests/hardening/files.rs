//! `read_only_file_system` and `writable`: nothing is changed but where it may be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use loky::prelude::*;
use loky::{ErrorKind, Pool, PoolBuilder};
use loky_tests::tasks::pid;
use loky_tests::{Case, cases, fails, scratch};
use nix::libc::{self, EACCES, EPERM};

use crate::attempt::{By, DONE, attempt, both_kinds, ends_inside, is_possible_outside, works_outside};
use crate::kernel::lacks_landlock;

pub(crate) const CASES: &[Case] = cases![
    files_01_nothing_is_changed,
    files_02_below_writable_paths_contents_are,
    files_03_one_file_may_be_writable,
    files_04_a_writable_path_must_be_there,
    files_05_a_path_counts_from_the_directory_of_the_workers,
    files_06_no_call_goes_around_it,
    files_07_who_is_not_confined_is_left_alone,
];

fn read_only() -> PoolBuilder {
    Pool::builder().read_only_file_system(true)
}

/// A folder with something to change.
fn furnished(name: &str) -> PathBuf {
    let place = scratch().join(name);
    fs::create_dir_all(place.join("folder/empty")).expect("a folder can be made");
    for file in ["a", "b", "c", "d"] {
        fs::write(place.join(file), "as it was").expect("a file can be written");
    }
    place
}

/// Changes of contents and names, in an order in which each can be made.
fn changes(place: &Path) -> Vec<String> {
    let at = |name: &str| place.join(name).display().to_string();
    let one =
        ["write a", "append a", "shell a", "truncate a", "create new", "mkdir made", "mkfifo pipe", "bind socket"];
    let one = one.into_iter().chain(["remove b", "rmdir folder/empty"]).map(|what| {
        let (verb, name) = what.split_once(' ').expect("two words");
        format!("{verb} {}", at(name))
    });
    let two =
        [("rename", "a", "renamed"), ("rename", "c", "folder/moved"), ("link", "d", "hard"), ("symlink", "d", "soft")];
    one.chain(two.into_iter().map(|(verb, from, to)| format!("{verb} {} {}", at(from), at(to)))).collect()
}

/// Changes of what is known about a file.
fn attributes(place: &Path) -> Vec<String> {
    ["chmod", "fchmod", "chown", "times"].map(|verb| format!("{verb} {}", place.join("d").display())).to_vec()
}

/// All that there is, with its contents, mode and time.
fn state(place: &Path) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(place).expect("a folder").map(|entry| entry.expect("an entry")) {
        let metadata = entry.metadata().expect("it is there");
        let contents = fs::read(entry.path()).unwrap_or_default();
        found.insert(entry.path(), (metadata.mode(), metadata.mtime(), contents));
        if metadata.is_dir() {
            found.extend(state(&entry.path()));
        }
    }
    found
}

fn files_01_nothing_is_changed() {
    if lacks_landlock() {
        return;
    }
    let outside = furnished("outside");
    changes(&outside).iter().chain(&attributes(&outside)).for_each(|what| works_outside(what));
    let inside = furnished("inside");
    let before = state(&inside);
    for pool in both_kinds(&read_only()) {
        for what in changes(&inside) {
            ends_inside(&pool, &what, EACCES);
        }
        for what in attributes(&inside) {
            ends_inside(&pool, &what, EPERM);
        }
        ends_inside(&pool, &format!("read {}", inside.join("a").display()), DONE);
        ends_inside(&pool, "write /dev/null", DONE);
        ends_inside(&pool, "shell /dev/null", DONE);
    }
    assert_eq!(state(&inside), before);
}

fn files_02_below_writable_paths_contents_are() {
    if lacks_landlock() {
        return;
    }
    let (writable, other) = (furnished("writable"), furnished("other"));
    fs::create_dir(scratch().join("second")).expect("a folder can be made");
    let pool = read_only().workers(1).writable(&writable).writable(scratch().join("second"));
    let pool = pool.build().expect("a pool");
    let seen = |what: &str| attempt.bind(what, By::Child).on(&pool).run().expect("a call");
    for what in changes(&writable) {
        assert_eq!(seen(&what), DONE, "{what}");
    }
    for what in attributes(&writable) {
        ends_inside(&pool, &what, EPERM);
    }
    let (from, second) = (writable.join("d"), scratch().join("second/d"));
    assert_eq!(seen(&format!("rename {} {}", from.display(), second.display())), DONE, "from one to the other");
    let before = state(&other);
    for what in changes(&other) {
        ends_inside(&pool, &what, EACCES);
    }
    let out = other.join("d2");
    ends_inside(&pool, &format!("link {} {}", second.display(), out.display()), EACCES);
    assert_eq!(state(&other), before);
}

fn files_03_one_file_may_be_writable() {
    if lacks_landlock() {
        return;
    }
    let place = furnished("place");
    let pool = read_only().workers(1).writable(place.join("a")).build().expect("a pool");
    let at = |verb: &str, name: &str| format!("{verb} {}", place.join(name).display());
    ends_inside(&pool, &at("write", "a"), DONE);
    ends_inside(&pool, &at("truncate", "a"), DONE);
    ends_inside(&pool, &at("remove", "a"), EACCES);
    ends_inside(&pool, &at("write", "b"), EACCES);
}

fn files_04_a_writable_path_must_be_there() {
    if lacks_landlock() {
        return;
    }
    let nowhere = scratch().join("nowhere");
    let pool = read_only().workers(1).writable(&nowhere).build().expect("a pool");
    let error = fails(pid.bind().on(&pool).run(), ErrorKind::Launch);
    let text = error.to_string();
    assert!(!error.may_have_run() && text.contains("`read_only_file_system`"), "{text}");
    assert!(text.contains(&*nowhere.to_string_lossy()), "{text}");
}

fn files_05_a_path_counts_from_the_directory_of_the_workers() {
    if lacks_landlock() {
        return;
    }
    let place = furnished("place");
    let pool = read_only().workers(1).current_dir(&place).writable("folder").build().expect("a pool");
    ends_inside(&pool, &format!("write {}", place.join("a").display()), EACCES);
    let made = attempt.bind("create folder/made", By::Task).on(&pool).run().expect("a call");
    assert!(made == DONE && place.join("folder/made").exists());
}

/// Requests that change a file's attributes through a descriptor that was opened to be read.
const FS_IOC_SETFLAGS: i64 = 0x4008_6602;
const FS_IOC_FSSETXATTR: i64 = 0x401c_5820;

fn files_06_no_call_goes_around_it() {
    if lacks_landlock() {
        return;
    }
    let old = [
        #[cfg(target_arch = "x86_64")]
        [libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown],
        #[cfg(target_arch = "x86_64")]
        [libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat],
        [libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_fchmodat2],
        [libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_utimensat],
        [libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr],
        [libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr],
    ];
    // By number: `setxattrat`, `removexattrat`, `file_setattr`.
    let young = [463, 466, 469, libc::SYS_io_uring_setup];
    let ioctl = [FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR].map(|request| format!("call {} {request}", libc::SYS_ioctl));
    let calls = old.as_flattened().iter().chain(&young).map(|number| format!("call {number}"));
    let calls: Vec<_> = calls.chain(ioctl).collect();
    calls.iter().for_each(|what| works_outside(what));
    let pool = read_only().workers(1).build().expect("a pool");
    calls.iter().for_each(|what| ends_inside(&pool, what, EPERM));
    ends_inside(&pool, &format!("call {} 1", libc::SYS_ioctl), DONE);
}

fn files_07_who_is_not_confined_is_left_alone() {
    if lacks_landlock() {
        return;
    }
    let pool = read_only().workers(1).build().expect("a pool");
    let memory = format!("open /proc/{}/mem", std::process::id());
    ends_inside(&pool, &memory, EACCES);
    let mount = format!("mount {}", furnished("place").join("folder/empty").display());
    if is_possible_outside(&mount) {
        ends_inside(&pool, &mount, EPERM);
    }
}
