//! A worker that is played: its end of the link and of its pipe are in this process, and no process is started.

use std::io::Write;

use super::super::played::Played;
use super::*;
use crate::config::Settings;
use crate::sys::process::Exit;

#[test]
fn a_worker_of_this_build_is_greeted() {
    let mut played = Played::new(Settings::default_for(1));
    played.say_hello(task::build().unwrap(), std::process::id());
    assert!(played.is_greeted() && played.inner.launch_failure.is_none());
}

#[test]
fn a_worker_of_another_build_is_refused_in_its_hello() {
    let ours = task::build().unwrap();
    for (build, why) in [
        (Build { image: ours.image ^ 1, ..ours }, "is another build of this program"),
        (Build { tasks: ours.tasks ^ 1, ..ours }, "with other tasks"),
        (Build { protocol: ours.protocol + 1, ..ours }, "another version of the protocol"),
    ] {
        let mut played = Played::new(Settings::default_for(1));
        played.say_hello(build, std::process::id());
        assert!(!played.is_greeted(), "{build:?}");
        let told = played.inner.launch_failure.as_ref().map(LaunchFailure::why).expect("the launch has failed");
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_hello_in_the_name_of_another_process_is_refused() {
    let mut played = Played::new(Settings::default_for(1));
    played.say_hello(task::build().unwrap(), 1);
    assert!(!played.is_greeted());
}

#[test]
fn a_second_hello_is_refused() {
    let mut played = Played::new(Settings::default_for(1));
    (0..2).for_each(|_| played.say_hello(task::build().unwrap(), std::process::id()));
    let told = played.inner.launch_failure.as_ref().map(LaunchFailure::why).expect("it is not believed any more");
    assert!(told.contains("says hello twice"), "{told}");
}

/// The poller has not told of them yet, and never will.
#[test]
fn the_last_words_of_a_dead_worker_are_read_before_it_is_buried() {
    let mut played = Played::new(Settings::default_for(1));
    played.error.write_all(b"the disk is full").unwrap();
    played.inner.bury(played.id, Exit::Code(1), Instant::now());
    assert!(!played.inner.outlets.is_empty(), "they are shown");
    let told = played.inner.launch_failure.as_ref().map(LaunchFailure::why).expect("the launch has failed");
    assert!(told.contains("the disk is full"), "{told}");
}
