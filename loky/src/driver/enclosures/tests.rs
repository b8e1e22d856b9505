//! A worker that is played encloses what it should not.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::Instant;

use super::super::played::Played;
use super::super::tokens::{Part as Source, token};
use super::*;
use crate::config::Settings;
use crate::ids::{Attempt, CallKey};
use crate::sys::socket;
use crate::task;

/// One that has said hello and has a call to answer.
fn played() -> Played {
    let mut played = Played::new(Settings::default_for(1));
    played.say_hello(task::build().unwrap(), std::process::id());
    let call = CallKey::nowhere();
    played.body().given.push(call, Attempt::FIRST, 0..1, false);
    played
}

impl Played {
    fn announce(&mut self, what: What, len: u64) {
        let (head, bytes) = message::encloses(Enclosure { id: 7, what, len });
        self.say(head, bytes.as_ref());
    }

    /// Sends something, announces what it shall be, and is heard. Returns why it was refused, if it was.
    fn enclose(&mut self, fd: Option<&dyn AsFd>, what: What, len: u64) -> Option<String> {
        fd.into_iter().for_each(|fd| self.send(fd.as_fd()));
        self.announce(what, len);
        self.inner.hear_news(Instant::now());
        self.inner.launch_failure.as_ref().map(|failure| failure.why().to_owned())
    }
}

#[test]
fn what_is_what_it_says_is_taken_in() {
    let mut played = played();
    let (three, five) = (segment::sealed(b"abc").unwrap(), segment::sealed(b"abcde").unwrap());
    assert_eq!(played.enclose(Some(&three), What::Sealed, 3), None);
    assert_eq!(played.enclose(Some(&five), What::Sealed, 5), None);
    assert_eq!(played.body().enclosed.len(), 2);
}

#[test]
fn what_is_not_what_it_says_is_refused() {
    let (sealed, file) = (segment::sealed(b"abc").unwrap(), File::open("/proc/self/exe").unwrap());
    let file_len = segment::file_len(&file).unwrap();
    let lies: [(Option<&dyn AsFd>, _, _, _); 6] = [
        (Some(&sealed), What::Sealed, 4, "memory that is not"),
        (Some(&sealed), What::Sealed, u64::MAX, "memory that is not"),
        (Some(&file), What::Sealed, file_len, "memory that is not"),
        (Some(&file), What::File, file_len, "could change"),
        (None, What::Sealed, 3, "no descriptor"),
        (None, What::Readers, 3, "not given"),
    ];
    for (fd, what, len, why) in lies {
        let mut played = played();
        let told = played.enclose(fd, what, len).expect("it is refused");
        assert!(told.contains(why), "{told}");
        assert!(!played.body().link.has_news(), "nothing more is heard from it");
    }
}

#[test]
fn what_is_said_to_be_alone_and_is_not_is_refused() {
    let (mut played, shared) = (played(), crate::shared::Shared::from_vec(vec![1_u8]));
    let segment = shared.segment().unwrap();
    assert!(played.body().held.add(&segment));
    assert_eq!(played.enclose(Some(&**segment.core()), What::Sealed, 1), None);
    played.say(message::value_of_readers(1, 0, 8), &segment.id().to_le_bytes());
    played.inner.hear_news(Instant::now());
    assert!(played.inner.launch_failure.as_ref().is_some_and(|failure| failure.why().contains("after others")));
}

#[test]
fn what_nobody_awaits_is_refused() {
    let (mut played, sealed) = (Played::new(Settings::default_for(1)), segment::sealed(b"abc").unwrap());
    played.say_hello(task::build().unwrap(), std::process::id());
    assert!(played.enclose(Some(&sealed), What::Sealed, 3).is_some_and(|why| why.contains("nobody awaits")));
}

#[test]
fn a_flood_of_descriptors_is_refused_and_closed() {
    let (mut played, sealed) = (played(), segment::sealed(b"abc").unwrap());
    (0..200).for_each(|_| played.send(&sealed));
    let link = token(played.id, Source::Link);
    played.inner.hear(link, Instant::now());
    assert_eq!(played.inner.launch_failure, None, "as many as an honest one may have sent");
    played.inner.hear(link, Instant::now());
    assert!(played.inner.launch_failure.as_ref().is_some_and(|failure| failure.why().contains("more descriptors")));
    assert!(played.body().link.next_descriptor().is_some(), "what the kernel still has goes with the link");
}

#[test]
fn a_descriptor_that_there_was_no_room_for_is_no_lie() {
    let mut played = played();
    socket::write_some(&played.link, &[1]).unwrap();
    assert_eq!(played.enclose(None, What::Sealed, 3), None);
    assert_eq!(played.body().enclosed.len(), 1, "whoever decodes it is told");
}

#[test]
fn a_segment_may_be_named_until_all_is_answered_that_was_given_before() {
    let mut played = played();
    let shared = crate::shared::Shared::from_vec(vec![1_u8]);
    let segment = shared.segment().unwrap();
    let id = segment.id();
    assert!(played.body().held.add(&segment) && !played.body().held.add(&segment), "it is given once");
    let departed = played.inner.departed.insert(Departed::new(None)).clone();
    let keeper: Arc<dyn Keeper> = departed;
    segment.tell(&Arc::downgrade(&keeper));
    drop((shared, segment));
    played.inner.forget_departed();
    assert!(played.body().held.find(id).is_some(), "its call is not answered");
    assert_eq!(played.body().given.answer(1, 0).map(|(_, is_last)| is_last), Some(true));
    assert!(played.body().let_go().is_some() && played.body().held.find(id).is_none());
    assert!(played.body().let_go().is_none());
}
