//! A worker that is played: its end of the link and of its pipe are in this process, and no process is started.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::super::background::Launch;
use super::*;
use crate::config::Settings;
use crate::ids::CallKey;
use crate::scheduler::Terms;
use crate::supervisor::Process;
use crate::sys::page::Page;
use crate::sys::process::Exit;
use crate::transport::worker_link::{Speaker, ends};

/// What stands in for the process is this one. Whoever would kill it is asked by a chore, and nobody does those here.
pub(in crate::driver) struct Played {
    pub(in crate::driver) inner: Inner,
    pub(in crate::driver) id: WorkerId,
    pub(in crate::driver) speaker: Speaker,
    pub(in crate::driver) link: UnixStream,
    pub(in crate::driver) error: UnixStream,
}

fn nonblocking() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (ours, theirs)
}

impl Played {
    /// Launched for a call.
    pub(in crate::driver) fn new() -> Self {
        Self::of(Settings::default_for(1))
    }

    /// The same with other settings.
    pub(in crate::driver) fn of(settings: Settings) -> Self {
        let mut inner = Inner::new(settings);
        inner.poller = Some(Arc::new(Poller::new().unwrap()));
        let terms = Terms { priority: 0, retries: 0, run_limit: None, queue_deadline: None, deadline: None, items: 1 };
        let call = CallKey { slot: 0, ..CallKey::nowhere() };
        inner.feed(Event::Submitted { call, terms }, Instant::now());
        let Some(Launch { worker: id, .. }) = inner.outbox.launches.pop() else { panic!("a worker is launched") };
        let ((ours, link), (pipe, error)) = (nonblocking(), nonblocking());
        let (page, _) = Page::create().unwrap();
        let (_, speaker) = ends(&Arc::new(link.try_clone().unwrap()), link.try_clone().unwrap(), &page);
        let launched = Launched {
            process: Process::new(std::process::id()).unwrap(),
            link: ours,
            page,
            output: None,
            error: File::from(OwnedFd::from(pipe)),
        };
        inner.hear_launch(id, Ok(launched), Instant::now());
        Self { inner, id, speaker, link, error }
    }

    pub(in crate::driver) fn say_hello(&mut self, build: Build, pid: u32) {
        let (head, bytes) = Hello { build, pid }.said();
        self.speaker.add(head, &bytes, &[]).unwrap();
        self.speaker.flush();
        self.inner.hear_news(Instant::now());
    }

    fn is_greeted(&self) -> bool {
        self.inner.workers[&self.id].has_said_hello
    }
}

#[test]
fn a_worker_of_this_build_is_greeted() {
    let mut played = Played::new();
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
        let mut played = Played::new();
        played.say_hello(build, std::process::id());
        assert!(!played.is_greeted(), "{build:?}");
        let told = played.inner.launch_failure.as_deref().expect("the launch has failed");
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_hello_in_the_name_of_another_process_is_refused() {
    let mut played = Played::new();
    played.say_hello(task::build().unwrap(), 1);
    assert!(!played.is_greeted());
}

#[test]
fn a_second_hello_is_refused() {
    let mut played = Played::new();
    (0..2).for_each(|_| played.say_hello(task::build().unwrap(), std::process::id()));
    let told = played.inner.launch_failure.as_deref().expect("it is not believed any more");
    assert!(told.contains("says hello twice"), "{told}");
}

/// The poller has not told of them yet, and never will.
#[test]
fn the_last_words_of_a_dead_worker_are_read_before_it_is_buried() {
    let mut played = Played::new();
    played.error.write_all(b"the disk is full").unwrap();
    played.inner.bury(played.id, Exit::Code(1), Instant::now());
    assert!(!played.inner.outlets.is_empty(), "they are shown");
    let told = played.inner.launch_failure.as_deref().expect("the launch has failed");
    assert!(told.contains("the disk is full"), "{told}");
}
