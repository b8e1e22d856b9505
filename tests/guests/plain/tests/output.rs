//! What workers print is shown with the test that it belongs to. The tests that are ignored fail on purpose, or show
//! something: whoever runs them looks at what appears.

use std::ffi::{c_char, c_int};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use loky::prelude::*;
use plain::say;

#[test]
fn prints_and_passes() {
    say.run("of-a-passing-test").unwrap();
}

#[test]
#[ignore = "fails on purpose"]
fn prints_and_fails() {
    say.run("of-a-failing-test").unwrap();
    panic!("on purpose");
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let (waker, mut future) = (Waker::from(Arc::new(Unpark(thread::current()))), pin!(future));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
#[ignore = "fails on purpose"]
fn receives_in_every_way() {
    say.spawn("by-join").join().unwrap();
    block_on(say.spawn("by-await")).unwrap();
    ["by-par-map-1", "by-par-map-2"].into_iter().par_map(say).unwrap_all();
    ["unordered-1", "unordered-2"].into_iter().par_map(say).unordered().for_each(drop);
    loky::join_all(["by-join-all-1", "by-join-all-2"].map(|word| say.spawn(word))).unwrap();
    loky::as_completed([say.spawn("as-completed")]).for_each(drop);
    let (sender, receiver) = mpsc::channel();
    say.spawn("by-callback").on_done(move |result| sender.send(result).unwrap());
    receiver.recv().unwrap().unwrap();
    panic!("on purpose");
}

#[loky::task]
fn say_and_die(word: &str) {
    println!("{word} on output");
    eprintln!("{word} on error");
    std::process::abort();
}

#[test]
#[ignore = "fails on purpose"]
fn shows_what_came_before_a_crash() {
    let error = say_and_die.run("last-words").unwrap_err();
    assert_eq!(error.stderr_tail().map(str::trim_end), Some("last-words on error"));
    panic!("{error}");
}

#[test]
#[ignore = "shows something"]
fn detaches() {
    drop(say.spawn("of-a-detached-call"));
    let handle = say.spawn("of-an-unread-handle");
    assert!(handle.wait_timeout(Duration::from_secs(60)));
    drop(handle);
    loky::pool().shutdown();
}

#[loky::task]
fn flood(lines: usize) -> usize {
    (0..lines).for_each(|line| println!("{line:0>99}"));
    lines
}

#[test]
fn a_flood_blocks_nobody() {
    assert_eq!(flood.run(200_000).unwrap(), 200_000);
}

#[test]
#[ignore = "fails on purpose"]
fn floods_and_fails() {
    flood.run(20_000).unwrap();
    panic!("on purpose");
}

unsafe extern "C" {
    fn puts(text: *const c_char) -> c_int;
}

#[loky::task]
fn say_in_c() {
    // SAFETY: the text ends with a zero byte.
    unsafe { puts(c"of-a-c-library".as_ptr()) };
}

#[test]
#[ignore = "fails on purpose"]
fn prints_from_c_and_fails() {
    say_in_c.run().unwrap();
    panic!("on purpose");
}
