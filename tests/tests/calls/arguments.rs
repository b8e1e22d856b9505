//! What travels: sizes, borrows, bystanders on the standard streams, and types that do not agree with themselves.

use std::collections::BTreeMap;
use std::thread;

use loky::ErrorKind;
use loky::prelude::*;
use loky_tests::tasks::{Blob, bytes, echo, pid, square};
use loky_tests::{Case, Gate, cases, fails, finish, ms, pool_of};
use serde::{Deserialize, Serialize, Serializer};

pub(crate) const CASES: &[Case] = cases![
    ser_09_a_hundred_megabytes_there_and_back: 120,
    ser_09_sizes_around_every_boundary,
    ser_11_a_slow_argument_delays_nobody,
    ser_19_borrowed_arguments,
    ser_20_a_type_that_reads_more_than_it_writes,
    ser_20_a_type_that_reads_less_than_it_writes,
    ser_22_what_a_task_prints_is_no_message,
    ser_25_structures_of_all_kinds,
];

fn ser_09_a_hundred_megabytes_there_and_back() {
    let pattern: Vec<u8> = (0..1 << 20).map(|x: u32| (x ^ (x >> 8) ^ (x >> 16)) as u8).collect();
    let large = Blob((0..100_u8).flat_map(|piece| [&[piece], &pattern[1..]].concat()).collect());
    assert_eq!(large.0.len(), 100 << 20);
    assert!(echo.run(large.clone()).expect("100 MB fit") == large, "every byte came back in its place");
    assert_eq!(bytes.run(100 << 20).expect("a large result alone").0.len(), 100 << 20);
    finish();
}

fn ser_09_sizes_around_every_boundary() {
    let pool = pool_of(1);
    for exponent in 0..=22 {
        for size in [(1_usize << exponent) - 1, 1 << exponent, (1 << exponent) + 1] {
            let sent = Blob((0..size).map(|x| x as u8).collect());
            assert_eq!(echo.bind(sent.clone()).on(&pool).run().expect("any size fits"), sent);
        }
    }
}

#[derive(Deserialize)]
struct Slow(#[expect(dead_code, reason = "only its way matters")] u8);

impl Serialize for Slow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        thread::sleep(ms(500));
        serializer.serialize_u8(1)
    }
}

#[loky::task]
fn take_slow(gate: Gate, _slow: Slow) {
    gate.arrive("slow");
}

fn ser_11_a_slow_argument_delays_nobody() {
    let (pool, order) = (pool_of(2), Gate::new("order"));
    square.bind(1).on(&pool).run().expect("a worker is there");
    thread::scope(|scope| {
        scope.spawn(|| take_slow.bind(order.clone(), Slow(1)).on(&pool).run().expect("the slow one"));
        for x in 0..50 {
            assert_eq!(square.bind(x).on(&pool).run().expect("quick ones"), x * x);
        }
        assert_eq!(order.arrivals(), Vec::<String>::new(), "all were done before the slow one was even sent");
    });
}

#[loky::task]
fn measure(name: &str, xs: &[f64], extra: &BTreeMap<String, Vec<u8>>, owned: String) -> (usize, f64, usize, String) {
    (name.len(), xs.iter().sum(), extra.values().map(Vec::len).sum(), owned)
}

fn ser_19_borrowed_arguments() {
    let name = String::from("äöü");
    let xs = vec![0.5; 1000];
    let extra = BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])]);
    let all = measure.run(&name, &xs[1..], &extra, "owned".to_owned()).expect("borrowed only while it is bound");
    assert_eq!(all, (6, 499.5, 2, "owned".to_owned()));
    assert_eq!(measure.run("", &[], &BTreeMap::new(), String::new()).expect("empty ones"), (0, 0.0, 0, String::new()));
    finish();
}

/// Writes one number and reads two.
struct Greedy;

/// Writes two numbers and reads one.
struct Modest;

impl Serialize for Greedy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        1_u64.serialize(serializer)
    }
}

impl Serialize for Modest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (1_u64, 2_u64).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Greedy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(u64, u64)>::deserialize(deserializer).map(|_| Self)
    }
}

impl<'de> Deserialize<'de> for Modest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|_| Self)
    }
}

#[loky::task]
fn take_greedy(_: Greedy) {}

#[loky::task]
fn give_greedy() -> Greedy {
    Greedy
}

#[loky::task]
fn take_modest(_: Modest) {}

#[loky::task]
fn give_modest() -> Modest {
    Modest
}

fn ser_20_a_type_that_reads_more_than_it_writes() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    assert!(!fails(take_greedy.bind(Greedy).on(&pool).run(), ErrorKind::Decode).may_have_run());
    assert!(fails(give_greedy.bind().on(&pool).run().map(|_| ()), ErrorKind::Decode).may_have_run());
    assert_eq!(pid.bind().on(&pool).run().expect("the worker lives"), worker);
}

fn ser_20_a_type_that_reads_less_than_it_writes() {
    let pool = pool_of(1);
    let worker = pid.bind().on(&pool).run().expect("a worker");
    assert!(!fails(take_modest.bind(Modest).on(&pool).run(), ErrorKind::Decode).may_have_run());
    assert!(fails(give_modest.bind().on(&pool).run().map(|_| ()), ErrorKind::Decode).may_have_run());
    assert_eq!(pid.bind().on(&pool).run().expect("the worker lives"), worker);
}

#[loky::task]
fn chatter(lines: usize) -> usize {
    for line in 0..lines {
        println!("{line}: a task may print what it likes");
        eprintln!("{line}: on both streams");
    }
    lines
}

fn ser_22_what_a_task_prints_is_no_message() {
    let pool = pool_of(2);
    let handles: Vec<_> = (0..10).map(|_| chatter.bind(2000).on(&pool).spawn()).collect();
    assert_eq!(loky::join_all(handles).expect("whatever they print"), [2000; 10]);
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Shape {
    Unit,
    New(Box<Self>),
    Tuple(i128, Option<char>),
    Named { text: String, map: BTreeMap<(u8, u8), Vec<Option<f32>>> },
}

#[loky::task]
fn reshape(shapes: Vec<Shape>) -> Vec<Shape> {
    shapes.into_iter().rev().collect()
}

fn ser_25_structures_of_all_kinds() {
    let map = BTreeMap::from([((1, 2), vec![None, Some(f32::MIN)])]);
    let shapes = vec![
        Shape::Unit,
        Shape::New(Box::new(Shape::Tuple(i128::MIN, Some('ß')))),
        Shape::Tuple(-1, None),
        Shape::Named { text: "\0\n".to_owned(), map },
    ];
    let back = reshape.run(shapes.clone()).expect("whatever serde knows");
    assert_eq!(back, shapes.into_iter().rev().collect::<Vec<_>>());
    finish();
}
