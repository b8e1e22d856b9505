//! A zygote that is played: no process is started, and nobody does the chores.

use std::os::fd::OwnedFd;

use super::*;
use crate::ids::CallKey;
use crate::scheduler::{Event, Terms};
use crate::sys::births::Births;
use crate::sys::poll::Poller;
use crate::sys::records;

struct Played {
    inner: Inner,
    /// The zygote's end of its socket, while it lives.
    socket: Option<OwnedFd>,
    births: Births,
    now: Instant,
}

impl Played {
    /// A pool of so many workers, all of which are awaited from the zygote.
    fn awaiting(workers: usize) -> Self {
        let mut inner = Inner::new(Settings { zygote: true, ..Settings::default_for(workers) });
        inner.poller = Some(Arc::new(Poller::new().unwrap()));
        let (zygote, socket, births) = Zygote::played().unwrap();
        let mut played = Self { inner, socket: Some(socket), births, now: Instant::now() };
        assert!(played.inner.nursery.prepare());
        played.inner.open_nursery(Ok(zygote));
        played.inner.feed(Event::WarmUpAsked, played.now);
        played.ask();
        played
    }

    fn ask(&mut self) {
        for launch in std::mem::take(&mut self.inner.outbox.launches) {
            let (ours, theirs) = zygote::prepare(&Recipe::default(), &Bell::new().unwrap()).unwrap();
            self.inner.ask_zygote(launch, &Recipe::default(), (ours, &theirs)).unwrap();
        }
    }

    fn says(&mut self, number: i32) {
        records::send(self.socket.as_ref().unwrap(), &number.to_le_bytes(), &[]).unwrap();
        self.inner.hear(ZYGOTE, self.now);
    }

    fn dies(&mut self) {
        self.socket = None;
        self.inner.hear(ZYGOTE, self.now);
    }

    fn embodied(&self) -> usize {
        self.inner.workers.values().filter(|worker| worker.body.is_some()).count()
    }
}

fn me() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

#[test]
fn answers_are_for_whoever_was_asked_for_first() {
    let mut pool = Played::awaiting(2);
    pool.says(me());
    let embodied: Vec<_> = pool.inner.workers.values().map(|worker| worker.body.is_some()).collect();
    assert_eq!(embodied, [true, false]);
    pool.says(-11);
    let failure = pool.inner.launch_failure.as_ref().expect("a copy was refused").why();
    assert!(failure.starts_with("copying a process failed") && failure.contains("`ulimit -u`"), "{failure}");
    assert!(pool.inner.nursery.is_open(), "a copy that cannot be made now is no fault of the zygote");
}

#[test]
fn whoever_is_awaited_from_a_lost_zygote_is_started_in_the_ordinary_way() {
    let mut pool = Played::awaiting(3);
    pool.says(me());
    pool.births.note(me());
    pool.dies();
    assert_eq!((pool.embodied(), pool.inner.outbox.launches.len()), (1, 2), "the birth that was noted is the one told");
    assert!(matches!(pool.inner.nursery, Nursery::Vacant { lost: 1 }), "and there will be another zygote");
    assert!(matches!(pool.inner.outbox.chores[..], [Chore::Discard(_)]), "this one is reaped");
}

#[test]
fn a_copy_that_nobody_told_of_is_taken_in() {
    let mut pool = Played::awaiting(3);
    pool.births.note(me());
    pool.dies();
    assert_eq!((pool.embodied(), pool.inner.outbox.launches.len()), (1, 2));
}

#[test]
fn what_it_said_before_it_died_with_requests_unread_counts() {
    let mut pool = Played::awaiting(2);
    records::send(pool.socket.as_ref().unwrap(), &me().to_le_bytes(), &[]).unwrap();
    pool.dies();
    assert_eq!((pool.embodied(), pool.inner.outbox.launches.len()), (1, 1));
}

#[test]
fn one_that_is_unfit_is_the_last() {
    let mut pool = Played::awaiting(1);
    pool.says(0);
    assert!(matches!(pool.inner.nursery, Nursery::Closed));
    assert_eq!(pool.inner.outbox.launches.len(), 1);
}

#[test]
fn zygotes_that_die_one_after_the_other_are_given_up() {
    let mut pool = Played::awaiting(1);
    for lost in 1..=ZYGOTES_LOST_MAX {
        pool.dies();
        assert_eq!(matches!(pool.inner.nursery, Nursery::Vacant { .. }), lost < ZYGOTES_LOST_MAX, "{lost} are lost");
        if pool.inner.nursery.prepare() {
            let (zygote, socket, _) = Zygote::played().unwrap();
            pool.socket = Some(socket);
            pool.inner.open_nursery(Ok(zygote));
        }
    }
}

#[test]
fn a_zygote_that_lets_a_worker_wait_too_long_is_killed() {
    let mut pool = Played::awaiting(1);
    let until = pool.inner.scheduler.next_timeout().expect("a launch has a limit");
    pool.inner.scheduler.handle_timeout(until);
    pool.inner.perform_all();
    assert!(matches!(pool.inner.outbox.chores[..], [Chore::Kill(_)]), "its end is heard like any other");
    pool.dies();
    let is_forgotten = !pool.inner.workers.contains_key(&WorkerId(0));
    let is_launched = pool.inner.outbox.launches.iter().any(|launch| launch.worker == WorkerId(0));
    assert!(is_forgotten && !is_launched, "nobody starts what is not wanted any more");
}

#[test]
fn launches_wait_while_the_zygote_is_being_started() {
    let driver = Driver::new(Settings { zygote: true, ..Settings::default_for(2) });
    let launch = Launch { worker: WorkerId(0), index: 0, is_one_of_many: false };
    let bell = Bell::new().unwrap();
    assert!(!driver.ask_zygote(launch, &Recipe::default(), &bell), "a lone one does not");
    assert!(driver.inner.lock().nursery.prepare());
    assert!(driver.ask_zygote(launch, &Recipe::default(), &bell));
    let mut inner = driver.inner.lock();
    inner.poller = Some(Arc::new(Poller::new().unwrap()));
    inner.open_nursery(Err(io::ErrorKind::OutOfMemory.into()));
    assert_eq!(inner.outbox.launches.len(), 1, "and are told to go on, whatever came of it");
}

#[test]
fn a_pool_at_rest_has_none() {
    let mut pool = Played::awaiting(1);
    (pool.inner.workers, pool.inner.settings.idle_timeout) = (Default::default(), None);
    pool.inner.rest_nursery();
    assert!(pool.inner.nursery.is_open(), "without a limit it stays");
    pool.inner.settings.idle_timeout = Some(std::time::Duration::ZERO);
    pool.inner.rest_nursery();
    assert!(matches!(pool.inner.nursery, Nursery::Vacant { lost: 0 }), "it is not lost");
}

#[test]
fn a_zygote_that_is_wanted_is_asked_for_once_there_is_time() {
    let mut inner = Inner::new(Settings { zygote: true, ..Settings::default_for(1) });
    inner.want_zygote();
    assert!(matches!(inner.outbox.chores[..], [Chore::StartZygote]));
    let mut without = Inner::new(Settings::default_for(1));
    let terms = Terms { priority: 0, retries: 0, run_limit: None, queue_deadline: None, deadline: None, items: 1 };
    without.feed(Event::Submitted { call: CallKey { slot: 0, ..CallKey::nowhere() }, terms }, Instant::now());
    without.want_zygote();
    assert!(without.outbox.chores.is_empty());
}
