//! What does not fit into memory: an error of that call alone, wherever the memory is missing.

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{Blob, bytes, echo, pid, square};
use loky_tests::{Case, cases, fails, pool_of};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

pub(crate) const CASES: &[Case] = cases![
    limits_01_arguments_for_which_a_worker_has_no_memory,
    limits_01_results_for_which_the_program_has_no_memory,
    limits_01_arguments_that_have_no_room_beside_themselves,
    limits_01_results_that_have_no_room_beside_themselves,
    limits_01_an_encoding_without_end,
];

/// So many addresses a worker has.
const ALL: u64 = 256 << 20;

#[loky::task]
fn sum(row: Vec<u64>) -> u64 {
    row.iter().sum()
}

#[loky::task]
fn length(row: &[u64]) -> usize {
    row.len()
}

#[loky::task]
fn row_of(len: usize) -> Vec<u64> {
    vec![1; len]
}

/// Says that there was no memory, and that the call has not run, or has.
fn says_so<T: std::fmt::Debug>(result: Result<T, Error>, may_have_run: bool) {
    let error = fails(result, ErrorKind::Decode);
    assert!(error.to_string().contains("no memory") && error.may_have_run() == may_have_run, "{error}");
}

fn limits_01_arguments_for_which_a_worker_has_no_memory() {
    let pool = Pool::builder().workers(1).address_space_limit(ALL).build().expect("a pool");
    let worker = pid.bind().on(&pool).run().expect("a worker");
    let large = vec![1_u64; ALL as usize / 8];
    says_so(length.bind(&large).on(&pool).run(), false);
    says_so(echo.bind(Blob(vec![7; ALL as usize])).on(&pool).run().map(drop), false);
    assert_eq!(length.bind(&large[..1 << 20]).on(&pool).run().expect("there is room for this"), 1 << 20);
    says_so(sum.bind(large.clone()).on(&pool).run(), false);
    says_so([large].par_map(sum).on(&pool).next().expect("one item"), false);
    assert_eq!(square.bind(3).on(&pool).run().expect("the next one"), 9);
    assert_eq!(pid.bind().on(&pool).run().expect("a worker"), worker, "it has lived through that");
}

/// So much more than there is now may be mapped here, while `work` runs.
fn with_little_room<T>(room: u64, work: impl FnOnce() -> T) -> T {
    let used = std::fs::read_to_string("/proc/self/statm").expect("proc is there");
    let pages: u64 = used.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number of pages");
    let (soft, hard) = getrlimit(Resource::RLIMIT_AS).expect("a known limit");
    setrlimit(Resource::RLIMIT_AS, pages * 4096 + room, hard).expect("a lower limit");
    let done = work();
    setrlimit(Resource::RLIMIT_AS, soft, hard).expect("the limit as it was");
    done
}

fn limits_01_results_for_which_the_program_has_no_memory() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    with_little_room(ALL / 4, || {
        says_so(row_of.bind(ALL as usize / 16).on(&pool).run().map(drop), true);
        says_so(bytes.bind(ALL as usize / 2).on(&pool).run().map(drop), true);
        assert_eq!(row_of.bind(1 << 20).on(&pool).run().expect("there is room for this").len(), 1 << 20);
        let mut mapped = [1 << 10, ALL as usize / 16, 1 << 10].par_map(row_of).on(&pool).chunk_size(3);
        assert_eq!(mapped.next().expect("the first").expect("it is short").len(), 1 << 10);
        says_so(mapped.next().expect("the second").map(drop), true);
        assert_eq!(mapped.next().expect("the third").expect("it is short").len(), 1 << 10);
    });
    assert_eq!(pid.bind().on(&pool).run().expect("a worker"), worker, "nobody has died of it");
}

fn limits_01_arguments_that_have_no_room_beside_themselves() {
    let pool = pool_of(1);
    let large = vec![1_u64; ALL as usize / 16];
    with_little_room(ALL / 4, || {
        let error = fails(length.bind(&large).on(&pool).run(), ErrorKind::Encode);
        assert!(error.to_string().contains("not enough memory") && !error.may_have_run(), "{error}");
        let inside = (1_u8, Blob(vec![7; ALL as usize / 7]));
        let error = fails(loky::closure!(|_: (u8, Blob)| 1_u8).bind(inside).on(&pool).run(), ErrorKind::Encode);
        assert!(error.to_string().contains("not enough memory"), "{error}");
    });
    assert_eq!(length.bind(&large).on(&pool).run().expect("now there is"), ALL as usize / 16);
    with_little_room(ALL / 4, || {
        let len = sum.bind(large).on(&pool).run().expect("what is given away needs no more room");
        assert_eq!(len, ALL / 16);
    });
}

fn limits_01_results_that_have_no_room_beside_themselves() {
    let pool = Pool::builder().workers(1).address_space_limit(ALL).build().expect("a pool");
    let error = fails(bytes.bind(ALL as usize / 10 * 7).on(&pool).run(), ErrorKind::Encode);
    assert!(error.to_string().contains("not enough memory") && error.may_have_run(), "{error}");
    let len = ALL as usize / 10 * 7 / 8;
    assert_eq!(row_of.bind(len).on(&pool).run().expect("a row is not copied").len(), len);
    assert_eq!(square.bind(3).on(&pool).run().expect("the next one"), 9);
}

/// Has more elements than any machine has memory.
#[derive(Deserialize)]
struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = serializer.serialize_seq(Some(1 << 50))?;
        for _ in 0..1_u64 << 50 {
            elements.serialize_element(&[0_u64; 32])?;
        }
        elements.end()
    }
}

#[loky::task]
fn take(_: Endless) {}

#[loky::task]
fn give() -> Endless {
    Endless
}

fn limits_01_an_encoding_without_end() {
    let pool = Pool::builder().workers(1).address_space_limit(ALL).build().expect("a pool");
    let error = fails(give.bind().on(&pool).run().map(drop), ErrorKind::Encode);
    assert!(error.to_string().contains("not enough memory"), "{error}");
    let error = with_little_room(ALL / 2, || fails(take.bind(Endless).on(&pool).run(), ErrorKind::Encode));
    assert!(error.to_string().contains("not enough memory"), "{error}");
    assert_eq!(square.bind(3).on(&pool).run().expect("the next one"), 9);
}
