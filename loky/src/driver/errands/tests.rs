//! What an initializer leaves behind in a worker that is played: its memory is that of this process.

use std::any::TypeId;
use std::time::Instant;

use super::super::played::Played;
use super::*;
use crate::config::Settings;
use crate::ids::TaskId;
use crate::shared::passing::Arrivals;
use crate::task::{self, Entry, TaskRef};

static ENTRY: Entry = Entry::new("tests::prepare", TypeId::of::<u8>, |_, _| Ok(()));

/// Greeted, and through with its one initializer, before anybody has looked at it.
fn initialized(memory_limit: Option<u64>) -> Played {
    let task = TaskRef::function(TaskId::registered(0), &ENTRY);
    let errand = Errand::new(task, Payload::copy(&[]), None);
    let initializers = vec![Initializer { errand, judge: |_| Ok(()) }];
    let settings = Settings { memory_limit, initializers, ..Settings::default_for(1) };
    let mut played = Played::new(settings);
    played.say_hello(task::build().unwrap(), std::process::id());
    assert!(played.inner.turn_of(played.id).is_some() && played.inner.scheduler.idle() == 0);
    let answer = (Payload::copy(&[]), Arrivals::from(Vec::new()));
    played.inner.turn_answered(played.id, Ok(answer), Instant::now());
    played
}

#[test]
fn leak_11_what_it_leaves_behind_is_looked_at_before_anything_else_runs() {
    let Played { inner, id, .. } = initialized(Some(4096));
    assert!(inner.workers[&id].is_killed, "it never serves");
    assert_eq!(inner.scheduler.idle(), 0);
}

#[test]
fn leak_11_what_is_within_the_limit_serves() {
    for limit in [None, Some(1 << 40)] {
        let Played { inner, id, .. } = initialized(limit);
        assert!(inner.initializer_failure.is_none() && !inner.workers[&id].is_killed);
        assert_eq!(inner.scheduler.live(), 1);
    }
}
