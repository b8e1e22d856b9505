//! Values that cannot travel, or not as they are: whose call fails, and that nobody else notices.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{give_thorn, meet, pid, square, take_thorn};
use loky_tests::thorn::{Fault, Moment, STING, Thorn};
use loky_tests::{Case, Gate, cases, fails, ms, pool_of, procfs, soon};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) const CASES: &[Case] = cases![
    ser_02_a_panic_while_arguments_are_encoded,
    ser_03_a_result_that_refuses_costs_its_own_call,
    ser_04_a_result_that_panics_costs_its_own_call,
    ser_05_an_argument_that_cannot_be_rebuilt,
    ser_06_a_result_that_cannot_be_rebuilt,
    ser_07_a_type_may_travel_in_a_way_of_its_own,
    ser_12_a_decoder_that_never_ends_has_the_limit_of_its_call,
    ser_18_rows_are_aligned_and_in_the_order_of_their_bytes,
    ser_21_a_worker_that_writes_garbage_is_replaced,
    exc_06_an_error_travels_with_all_its_evidence,
    exc_07_an_error_that_cannot_be_encoded_is_told_in_words,
    exc_08_an_error_that_cannot_be_rebuilt_costs_its_own_call,
];

fn ser_02_a_panic_while_arguments_are_encoded() {
    for _ in 0..5 {
        let pool = pool_of(4);
        let good = square.bind(3).on(&pool).spawn();
        let bad = take_thorn.bind(Thorn::new(Moment::Encode, Fault::Panic)).on(&pool).spawn();
        pool.shutdown();
        assert!(fails(bad.join(), ErrorKind::Encode).to_string().contains(STING));
        assert_eq!(good.join().expect("its neighbor"), 9);
    }
}

/// One call fails so, beside one that runs and before one that waits, and neither notices; nor does the worker.
#[track_caller]
fn costs_itself<R: std::fmt::Debug>(kind: ErrorKind, call: impl FnOnce(&Pool) -> Result<R, Error>) -> Error {
    let (pool, gate) = (pool_of(2), Gate::new("gate"));
    let held = meet.bind(gate.clone(), 5).on(&pool).spawn();
    gate.await_arrivals(1);
    let worker = pid.bind().on(&pool).run().expect("the other worker");
    let error = fails(call(&pool), kind);
    assert!(error.to_string().contains(STING), "the reason is told: {error}");
    assert_eq!(pid.bind().on(&pool).run().expect("the worker lives"), worker);
    gate.open();
    assert_eq!(held.join().expect("its neighbor"), 5);
    fs::remove_dir_all(loky_tests::scratch().join("gate")).expect("it is ours");
    error
}

fn ser_03_a_result_that_refuses_costs_its_own_call() {
    let error = costs_itself(ErrorKind::Encode, |pool| give_thorn.bind(Moment::Encode, Fault::Error).on(pool).run());
    assert!(error.may_have_run());
}

fn ser_04_a_result_that_panics_costs_its_own_call() {
    let error = costs_itself(ErrorKind::Encode, |pool| give_thorn.bind(Moment::Encode, Fault::Panic).on(pool).run());
    assert!(error.may_have_run());
}

fn ser_05_an_argument_that_cannot_be_rebuilt() {
    for fault in [Fault::Error, Fault::Panic] {
        let thorn = Thorn::new(Moment::Decode, fault);
        let error = costs_itself(ErrorKind::Decode, |pool| take_thorn.bind(thorn).on(pool).run());
        assert!(!error.may_have_run(), "the task has not begun");
    }
}

fn ser_06_a_result_that_cannot_be_rebuilt() {
    for fault in [Fault::Error, Fault::Panic] {
        let error = costs_itself(ErrorKind::Decode, |pool| give_thorn.bind(Moment::Decode, fault).on(pool).run());
        assert!(error.may_have_run());
    }
}

/// Gains five whenever it is encoded, and is seven times as much whenever it is decoded, wherever that may be.
#[derive(Serialize, Deserialize)]
struct Odd(#[serde(serialize_with = "five_more", deserialize_with = "seven_times")] i64);

fn five_more<S: Serializer>(x: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(x + 5)
}

fn seven_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    i64::deserialize(deserializer).map(|x| x * 7)
}

#[loky::task]
fn take_odd(odd: Odd) -> i64 {
    odd.0
}

#[loky::task]
fn give_odd(x: i64) -> Odd {
    Odd(x)
}

#[loky::task]
fn take_plain(x: i64) -> i64 {
    x
}

fn ser_07_a_type_may_travel_in_a_way_of_its_own() {
    let (one, other) = (pool_of(1), pool_of(1));
    assert_eq!(take_odd.bind(Odd(1)).on(&one).run().expect("there"), 42);
    assert_eq!(give_odd.bind(1).on(&one).run().expect("and back").0, 42);
    assert_eq!(take_plain.bind(1).on(&other).run().expect("nobody else is touched by it"), 1);
    assert_eq!(take_plain.bind(1).on(&one).run().expect("nor any other type"), 1);
}

#[derive(Serialize)]
struct Endless(Gate);

impl<'de> Deserialize<'de> for Endless {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let gate = Gate::deserialize(deserializer)?;
        gate.arrive(&std::process::id().to_string());
        thread::sleep(ms(50_000));
        Ok(Self(gate))
    }
}

#[loky::task]
fn take_endless(endless: Endless) {
    endless.0.arrive("the task");
}

fn ser_12_a_decoder_that_never_ends_has_the_limit_of_its_call() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    fails(take_endless.bind(Endless(gate.clone())).on(&pool).timeout(ms(200)).run(), ErrorKind::Timeout);
    let stuck: Vec<u32> = gate.await_arrivals(1).iter().map(|pid| pid.parse().expect("a pid")).collect();
    assert_eq!(stuck.len(), 1, "it was stuck in the worker, and the task has not begun");
    soon("the worker is dead", ms(1000), || !procfs::is_alive(stuck[0]));
    assert_ne!(pid.bind().on(&pool).run().expect("another one serves"), stuck[0]);
}

/// The bytes of each number as this machine has them, and where the row lies.
#[loky::task]
fn dissect(shorts: &[u16], words: &[u32], longs: &[i64], floats: &[f64], largest: &[u128]) -> (Vec<Vec<u8>>, bool) {
    let bytes = vec![
        shorts.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        words.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        longs.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        floats.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        largest.iter().flat_map(|x| x.to_ne_bytes()).collect(),
    ];
    (
        bytes,
        [is_aligned(shorts), is_aligned(words), is_aligned(longs), is_aligned(floats), is_aligned(largest)]
            == [true; 5],
    )
}

fn is_aligned<T>(row: &[T]) -> bool {
    row.as_ptr().is_aligned()
}

fn ser_18_rows_are_aligned_and_in_the_order_of_their_bytes() {
    let pool = pool_of(1);
    for len in [1, 3, 1000, 40_001] {
        let numbers = (0..len).map(|at: u64| at.wrapping_mul(0x0102_0408_1020_4081));
        let shorts: Vec<u16> = numbers.clone().map(|x| x as u16).collect();
        let words: Vec<u32> = numbers.clone().map(|x| x as u32).collect();
        let longs: Vec<i64> = numbers.clone().map(|x| x as i64).collect();
        let floats: Vec<f64> = numbers.clone().map(f64::from_bits).collect();
        let largest: Vec<u128> = numbers.map(|x| u128::from(x) << 64 | u128::from(!x)).collect();
        // An odd number of bytes before them would put a careless reader out of step.
        let call = dissect.bind(&shorts, &words, &longs, &floats, &largest).on(&pool);
        let (there, is_aligned) = call.run().expect("they travel");
        assert!(is_aligned, "{len} of each");
        assert!(there == dissect(&shorts, &words, &longs, &floats, &largest).0, "{len} of each");
    }
}

/// Fills the memory that it shares with its parent with this byte, from here on.
#[loky::task]
fn scribble(gate: Gate, byte: u8, from: u64) {
    gate.arrive(&std::process::id().to_string());
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    let link = maps.lines().find(|line| line.contains("memfd:loky")).expect("the memory of the link");
    let (start, rest) = link.split_once('-').expect("a range");
    let address = |text: &str| u64::from_str_radix(text, 16).expect("an address");
    let (start, end) = (address(start) + from, address(rest.split(' ').next().expect("its end")));
    let memory = File::options().write(true).open("/proc/self/mem").expect("one's own memory");
    memory.write_all_at(&vec![byte; (end - start) as usize], start).expect("it may write there");
}

/// Behind the words that say what has begun.
const RINGS: u64 = 128;

fn ser_21_a_worker_that_writes_garbage_is_replaced() {
    for (number, byte) in [0xFF, 0x55, 0x81].into_iter().enumerate() {
        let (pool, gate) = (pool_of(2), Gate::new(&format!("gate {number}")));
        let held = meet.bind(gate.clone(), 5).on(&pool).spawn();
        gate.await_arrivals(1);
        let liar = pid.bind().on(&pool).run().expect("the other worker");
        for (from, expected) in [(RINGS, "it sent nonsense"), (0, "while running it")] {
            let runs = Gate::new(&format!("runs {number} {from}"));
            let call = scribble.bind(runs.clone(), byte, from).on(&pool).timeout(ms(5000));
            let error = fails(call.run(), ErrorKind::Crash);
            assert!(error.to_string().contains(expected), "{error}");
            // Also if it leaves no word on what has begun.
            assert_eq!(runs.arrivals(), [error.pid().expect("it ran there").to_string()], "it ran once");
            soon("it is dead", ms(2000), || !procfs::is_alive(error.pid().expect("it ran there")));
        }
        assert_ne!(pid.bind().on(&pool).run().expect("another one serves"), liar);
        assert_eq!(square.bind(3).on(&pool).run().expect("the pool goes on"), 9);
        gate.open();
        assert_eq!(held.join().expect("its neighbor"), 5);
    }
}

#[loky::task]
fn pass_on_an_error() -> Result<(), Error> {
    let pool = Pool::builder().workers(1).env("RUST_BACKTRACE", "1").build()?;
    loky_tests::tasks::panic_with.bind("inside").on(&pool).run().map(drop)
}

fn exc_06_an_error_travels_with_all_its_evidence() {
    let pool = pool_of(1);
    let error = pass_on_an_error.bind().on(&pool).run().expect("the call succeeds").expect_err("the inner one fails");
    assert_eq!((error.kind(), error.panic_message(), error.attempt()), (ErrorKind::Panic, Some("inside"), Some(1)));
    assert!(error.panic_location().is_some_and(|place| place.contains("tasks.rs")), "{error:?}");
    assert!(error.backtrace().is_some_and(|trace| trace.contains("panic_with")), "{error:?}");
    assert!(error.pid().is_some() && error.may_have_run());
    assert!(error.task().is_some_and(|task| task.ends_with("panic_with")), "{error:?}");
    assert_eq!(square.bind(3).on(&pool).run().expect("nothing is broken"), 9);
}

#[loky::task]
fn fail_with_a_thorn(moment: Moment, fault: Fault) -> Result<u32, Thorn> {
    Err(Thorn::new(moment, fault))
}

fn exc_07_an_error_that_cannot_be_encoded_is_told_in_words() {
    for fault in [Fault::Error, Fault::Panic] {
        costs_itself(ErrorKind::Encode, |pool| fail_with_a_thorn.bind(Moment::Encode, fault).on(pool).run());
    }
}

fn exc_08_an_error_that_cannot_be_rebuilt_costs_its_own_call() {
    for fault in [Fault::Error, Fault::Panic] {
        costs_itself(ErrorKind::Decode, |pool| fail_with_a_thorn.bind(Moment::Decode, fault).on(pool).run());
    }
}
