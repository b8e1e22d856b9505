//! What the program of a row does: it has a pool in a state, a call that is struck, and reads what comes of it.

use std::process::id;
use std::sync::mpsc;

use loky::prelude::*;
use loky::{CallStatus, Error, ErrorKind, JoinHandle, Pool};
use loky_tests::tasks::square;
use loky_tests::{Program, Traced, eventually, fails, leaves_nothing, pool_of, procfs, programs, sys};
use nix::sys::signal::Signal;

use crate::burden::{Burden, WORDS, lurk, point, strike};
use crate::dimensions::{How, Place, State};
use crate::director::{hold, set};
use crate::row::Row;
use crate::surroundings::Surroundings;
use crate::table::Reads;

pub(crate) const PROGRAMS: &[Program] = programs![plays];

/// What the call of a row gives: its result, or the error of the task's own.
type Given = Result<Burden, String>;

/// What is read of it.
type Outcome = Result<Given, Error>;

fn plays() {
    let row = Row::named(&std::env::var("LOKY_TESTS_ROW").expect("the director says which"));
    if row.state != State::Nested {
        return perform(row);
    }
    let outer = pool_of(1);
    let outcome = perform_in_a_worker.bind(row).on(&outer).run();
    if row.reads() == Reads::End {
        let error = fails(outcome, ErrorKind::Crash);
        assert_eq!((error.exit_code(), error.signal()), row.how.death(), "{error}");
    } else {
        outcome.expect("the worker lives on");
    }
    assert_eq!(square.bind(4).on(&outer).run().expect("the outer pool goes on"), 16);
    outer.shutdown();
}

#[loky::task]
fn perform_in_a_worker(row: Row) {
    perform(row);
}

fn perform(row: Row) {
    leaves_nothing(|| {
        let pool = pool(row);
        let mut surroundings = Surroundings::of(row, &pool);
        let begun = begin(row, &pool);
        surroundings.change(row, &pool);
        set().arrive(&id().to_string());
        assert_read(row, end(row, &pool, begun));
        surroundings.have_gone_on(&pool);
        pool.shutdown();
    });
}

fn pool(row: Row) -> Pool {
    let workers = if row.state == State::Fresh { 1 } else { 2 };
    let mut builder = Pool::builder().workers(workers);
    if row.place == Place::Exit {
        builder = builder.max_calls_per_worker(1);
    }
    if is_struck_by_a_thread(row) {
        builder = builder.initializer(lurk.bind(row));
    }
    builder.build().expect("a pool")
}

/// Where nothing of the call runs, somebody else must do it.
fn is_struck_by_a_thread(row: Row) -> bool {
    let runs_nothing = matches!(row.place, Place::ArgumentTransit | Place::ResultTransit | Place::Idle);
    runs_nothing && !row.how.comes_from_outside()
}

#[loky::task]
fn carry(argument: Burden, row: Row) -> Given {
    assert!(argument.is_whole(), "every byte has come");
    assert_eq!(loky::worker().map(|worker| worker.attempt), Some(1), "what had not begun was no attempt");
    match row.place {
        Place::Run => strike(row)?,
        Place::ResultTransit => {
            point().arrive(&id().to_string());
            hold().pass();
        }
        Place::DecodeResult | Place::Callback => hold().pass(),
        Place::Exit => sys::at_exit(move || strike(row).expect("no row has an error here")),
        _ => {}
    }
    Ok(Burden::result(row))
}

/// What there is before the pool is in its state.
enum Begun {
    /// Not yet a call, for it is struck before it is one.
    Nothing,
    /// The call, which comes to its point by itself or is held before it.
    Call(JoinHandle<Given>),
    /// The same, and its worker, which has been halted.
    Halted(JoinHandle<Given>, u32),
    /// No call, and a worker that has none.
    Idle(u32),
}

fn begin(row: Row, pool: &Pool) -> Begun {
    let spawn = || carry.bind(Burden::argument(row), row).on(pool).spawn();
    match row.place {
        Place::EncodeArgument => Begun::Nothing,
        Place::Idle => Begun::Idle(idle_worker(pool)),
        Place::ArgumentTransit => {
            let worker = idle_worker(pool);
            halt(row, worker);
            let call = spawn();
            eventually("the worker is sent it", || call.status() == CallStatus::Running);
            Begun::Halted(call, worker)
        }
        _ => Begun::Call(spawn()),
    }
}

/// The worker that no neighbor has.
fn idle_worker(pool: &Pool) -> u32 {
    pool.warm_up();
    let busy = Surroundings::worker();
    procfs::workers().into_iter().find(|worker| Some(*worker) != busy).expect("the pool is warm")
}

/// Has the worker read nothing more. If one of its threads is to strike, that one goes on.
fn halt(row: Row, worker: u32) {
    if row.how == How::StopAndKill {
        sys::signal(worker, Signal::SIGSTOP);
    } else {
        // It is let go by its death.
        assert!(Traced::seize(worker).is_some(), "the director has seen that workers may be traced");
    }
}

/// Goes on to the point, and reads what comes of the call; nothing where there is none.
fn end(row: Row, pool: &Pool, begun: Begun) -> Option<Outcome> {
    match begun {
        Begun::Nothing => Some(carry.bind(Burden::argument(row), row).on(pool).run()),
        Begun::Idle(worker) => {
            point().arrive(&worker.to_string());
            None
        }
        Begun::Halted(call, worker) => {
            point().arrive(&worker.to_string());
            Some(call.join())
        }
        Begun::Call(call) => {
            // Else the director opens it, when nobody here reads any more.
            if row.place != Place::ResultTransit {
                hold().open();
            }
            Some(if row.place == Place::Callback { call_back(row, call) } else { call.join() })
        }
    }
}

/// What the callback has got before it strikes.
fn call_back(row: Row, call: JoinHandle<Given>) -> Outcome {
    let (tell, heard) = mpsc::channel();
    call.on_done(move |outcome| {
        tell.send(outcome).expect("it is awaited");
        strike(row).expect("no row has an error here");
    });
    heard.recv().expect("the callback is called")
}

fn assert_read(row: Row, outcome: Option<Outcome>) {
    let stricken = || point().await_arrivals(1)[0].parse::<u32>().expect("a pid");
    match (row.reads(), outcome) {
        (Reads::Result, Some(Ok(Ok(result)))) => assert!(result.is_whole()),
        (Reads::OwnError, Some(Ok(Err(words)))) => assert_eq!(words, WORDS),
        (Reads::Elsewhere, Some(Ok(Ok(result)))) => {
            assert!(result.is_whole() && result.maker != stricken(), "it ran in another worker");
        }
        (Reads::Told { kind, may_have_run, has_place }, Some(Err(error))) => {
            let place = if has_place { (Some(stricken()), Some(1)) } else { (None, None) };
            assert_eq!((error.kind(), error.may_have_run()), (kind, may_have_run), "{error:?}");
            assert_eq!((error.pid(), error.attempt()), place, "{error:?}");
            assert_eq!((error.exit_code(), error.signal()), row.how.death(), "{error:?}");
            assert!(error.is_crash() || error.to_string().contains(WORDS), "{error}");
            assert!(error.task().is_some_and(|task| task.ends_with("carry")), "{error}");
        }
        (Reads::Nothing, None | Some(Ok(Ok(_)))) => {
            eventually("it is dead and reaped", || procfs::process(stricken()).is_none());
        }
        (reads, outcome) => panic!("{reads:?} and not {:?}", outcome.map(|outcome| outcome.map(|given| given.err()))),
    }
}
