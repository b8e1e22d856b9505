//! The harness itself: what a case leaves behind is named, what hangs is ended and described, and good cases pass.

use std::fs::File;
use std::process::{Command, ExitCode};
use std::thread::{self, sleep};
use std::time::Duration;

use loky::prelude::*;
use loky_tests::{Case, Random, cases, finish, procfs, tasks::add, watched};

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[CASES, BAD], &[])
    }
}

const CASES: &[Case] = cases![
    harness_passes_a_case_that_uses_the_pool,
    harness_names_a_thread_that_is_left,
    harness_names_a_descriptor_that_is_left,
    harness_names_a_temporary_file_that_is_left,
    harness_names_a_child_that_is_left,
    harness_names_an_orphan_that_is_left,
    harness_shows_a_panic,
    harness_ends_and_describes_a_case_that_hangs,
    harness_shows_a_seed_and_takes_it_back,
];

const BAD: &[Case] = &[
    Case::new("bad_thread", || drop(thread::spawn(forever))).unlisted(),
    Case::new("bad_descriptor", || std::mem::forget(File::open("/dev/null"))).unlisted(),
    Case::new("bad_file", || drop(File::create(std::env::temp_dir().join("litter")))).unlisted(),
    Case::new("bad_child", || drop(Command::new("sleep").arg("1001").spawn())).unlisted(),
    Case::new("bad_orphan", || drop(Command::new("sh").args(["-c", "sleep 1002 &"]).status())).unlisted(),
    Case::new("bad_panic", || panic!("as it should be")).unlisted(),
    Case::new("bad_hang", watch_me_hang).limit(1).unlisted(),
    Case::new("bad_luck", || panic!("chosen: {}.", Random::from_environment().below(1 << 60))).unlisted(),
];

fn harness_passes_a_case_that_uses_the_pool() {
    assert_eq!(add.spawn(1, 2).join().expect("an addition succeeds"), 3);
    assert_eq!(procfs::workers().len(), 1);
    finish();
}

fn harness_names_a_thread_that_is_left() {
    assert_complaint("bad_thread", &["after the case there is still", "thread "]);
}

fn harness_names_a_descriptor_that_is_left() {
    assert_complaint("bad_descriptor", &["after the case there is still", "descriptor ", "/dev/null"]);
}

fn harness_names_a_temporary_file_that_is_left() {
    assert_complaint("bad_file", &["after the case there is still", "litter"]);
}

fn harness_names_a_child_that_is_left() {
    assert_complaint("bad_child", &["after the case there is still", "processes are left", "sleep 1001"]);
}

fn harness_names_an_orphan_that_is_left() {
    assert_complaint("bad_orphan", &["processes are left", "sleep 1002"]);
}

fn harness_shows_a_panic() {
    assert_complaint("bad_panic", &["as it should be", "Exited"]);
}

fn harness_ends_and_describes_a_case_that_hangs() {
    assert_complaint("bad_hang", &["was not over after 1s", "its last words", "sleep 1003", "thread "]);
}

fn harness_shows_a_seed_and_takes_it_back() {
    let said = |seed: Option<&str>| {
        let mut warden = watched("bad_luck");
        match seed {
            Some(seed) => warden.env(SEED, seed),
            None => warden.env_remove(SEED),
        };
        String::from_utf8_lossy(&warden.output().expect("the warden can be started").stdout).into_owned()
    };
    let after = |said: &str, words: &str| {
        let (_, rest) = said.split_once(words).unwrap_or_else(|| panic!("no `{words}` in:\n{said}"));
        rest.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    let first = said(None);
    let again = said(Some(&after(&first, "LOKY_TESTS_SEED=")));
    assert_eq!(after(&again, "chosen: "), after(&first, "chosen: "), "the same choices again");
    assert_ne!(after(&said(Some("42")), "chosen: "), after(&first, "chosen: "));
}

const SEED: &str = "LOKY_TESTS_SEED";

/// Runs a bad case and looks for all of `words` in what its warden says; nothing of it may be left.
fn assert_complaint(case: &str, words: &[&str]) {
    // Its limit is what it says, however long others are to go on.
    let output = watched(case).env_remove("LOKY_TESTS_SECONDS").output().expect("the warden can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{case} passed");
    for word in words {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
}

fn watch_me_hang() {
    println!("its last words");
    Command::new("sleep").arg("1003").status().expect("sleep can be started");
}

fn forever() {
    loop {
        sleep(Duration::from_secs(1000));
    }
}
