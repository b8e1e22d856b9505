//! Whatever a call can do to its worker, spawned from a callback: the callback is served, and the pool goes on.

use std::fmt::Debug;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{Error, ErrorKind};
use loky_tests::tasks::{Death, die, give_thorn, panic_with, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, cases, finish, patience};

pub(crate) const CASES: &[Case] = cases![callback_06_every_crash_from_a_callback: 120];

/// How the call ends: by an error of this kind, or well, with the task's own `Err` inside.
type End = Result<(), ErrorKind>;

fn end<R: Debug>(result: Result<R, Error>) -> End {
    result.map(drop).map_err(|error| error.kind())
}

fn argument(moment: Moment, fault: Fault) -> End {
    end(take_thorn.run(Thorn::new(moment, fault)))
}

fn result(moment: Moment, fault: Fault) -> End {
    end(give_thorn.run(moment, fault))
}

#[loky::task]
fn refuse() -> Result<u32, String> {
    Err("not today".to_owned())
}

/// The sixteen rows of the table of bad behavior, in its order.
const WAYS: [(fn() -> End, End); 16] = [
    (|| argument(Moment::Encode, Fault::Panic), Err(ErrorKind::Encode)),
    (|| argument(Moment::Encode, Fault::Error), Err(ErrorKind::Encode)),
    (|| argument(Moment::Decode, Fault::Panic), Err(ErrorKind::Decode)),
    (|| argument(Moment::Decode, Fault::Exit(0)), Err(ErrorKind::Crash)),
    (|| argument(Moment::Decode, Fault::Error), Err(ErrorKind::Decode)),
    (|| argument(Moment::Decode, Fault::Segfault), Err(ErrorKind::Crash)),
    (|| end(die.run(Death::NullWrite)), Err(ErrorKind::Crash)),
    (|| end(panic_with.run("as told")), Err(ErrorKind::Panic)),
    (|| end(die.run(Death::ExitNow(0))), Err(ErrorKind::Crash)),
    (|| end(refuse.run()), Ok(())),
    (|| result(Moment::Encode, Fault::Segfault), Err(ErrorKind::Crash)),
    (|| result(Moment::Encode, Fault::Panic), Err(ErrorKind::Encode)),
    (|| result(Moment::Encode, Fault::Exit(0)), Err(ErrorKind::Crash)),
    (|| result(Moment::Encode, Fault::Error), Err(ErrorKind::Encode)),
    (|| result(Moment::Decode, Fault::Panic), Err(ErrorKind::Decode)),
    (|| result(Moment::Decode, Fault::Error), Err(ErrorKind::Decode)),
];

fn callback_06_every_crash_from_a_callback() {
    loky::reusable(loky::Pool::builder().workers(2)).expect("a pool");
    let limit = Duration::from_secs(3) * patience();
    for (number, (way, expected)) in (1..).zip(WAYS) {
        let (tell, heard) = mpsc::channel();
        let before = Instant::now();
        square.spawn(1).on_done(move |_| {
            assert_eq!(loky::pool().workers(), 2);
            tell.send(way()).expect("the case listens");
        });
        assert_eq!(heard.recv_timeout(limit), Ok(expected), "row {number}, after {:?}", before.elapsed());
        assert_eq!(square.run(3).expect("the pool goes on"), 9, "row {number}");
    }
    finish();
}
