//! Closures: what they capture is found, travels, and is bound again where they run.

use std::collections::BTreeMap;
use std::path::Path;

use loky::prelude::*;
use loky::{Closure, ErrorKind};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, cases, fails, finish};
use serde::{Deserialize, Serialize};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    closure_01_values_are_captured_by_name,
    closure_02_references_are_lent,
    closure_03_every_form_and_every_arity,
    closure_04_a_call_has_captures_of_its_own,
    closure_05_the_method_of_a_captured_self,
    closure_06_functions_and_closures_as_values,
    closure_07_mapped_over_a_collection,
    closure_08_async_and_results,
    closure_09_generic_code_around_it,
    closure_10_what_goes_wrong_is_told,
    closure_11_captures_are_read_once_for_a_chunk,
    closure_12_large_captures,
];

/// Something with fields.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Settings {
    /// A number.
    factor: i64,
    /// A text.
    label: String,
}

/// Numbers, texts, structs; in expressions, macros, format strings and nested closures.
fn closure_01_values_are_captured_by_name() {
    let (k, words, verbose) = (10, vec!["a".to_string(), "bc".to_string()], true);
    let settings = Settings { factor: 3, label: "l".to_string() };
    assert_eq!(loky::closure!(|x: i64| x * k).run(4).expect("a number"), 40);
    assert_eq!(loky::closure!(|i: usize| words[i].clone()).run(1).expect("an element"), "bc");
    assert_eq!(loky::closure!(|x: i64| settings.factor * x).run(4).expect("a field"), 12);
    let text = loky::closure!(|x: i64| format!("{x} {k} {:?} {}", settings.label, words.len()));
    assert_eq!(text.run(1).expect("in a macro"), "1 10 \"l\" 2");
    let nested = loky::closure!(|xs: Vec<i64>| xs.iter().map(|x| if verbose { x * k } else { 0 }).sum::<i64>());
    assert_eq!(nested.run(vec![1, 2]).expect("in a nested closure"), 30);
    let shorthand = loky::closure!(|factor: i64| Settings { factor, ..settings });
    assert_eq!(shorthand.run(9).expect("a struct").label, "l");
    assert_eq!((words.len(), settings.factor, k), (2, 3, 10), "the caller keeps its own");
    assert_eq!(loky::closure!([k] |x: i64| x - k).run(11).expect("a list"), 1);
    assert_eq!(loky::closure!(|| 7).run().expect("nothing at all"), 7);
    finish();
}

/// What a captured reference points to need not be `Clone`.
#[derive(Serialize, Deserialize)]
struct Table {
    /// By name.
    rows: BTreeMap<String, u64>,
}

/// `&T`, `&str`, `&[T]`, `&Path`.
fn closure_02_references_are_lent() {
    fn look_up(table: &Table, names: &[&str], unit: &str, path: &Path) -> String {
        let first = names[0];
        let look = loky::closure!(|name: &str| {
            let number = table.rows.get(name).copied().unwrap_or_default();
            format!("{first} {number} {unit} {}", path.display())
        });
        look.run(names[1]).expect("it ran")
    }
    let table = Table { rows: BTreeMap::from([("b".to_string(), 2)]) };
    assert_eq!(look_up(&table, &["a", "b"], "km", Path::new("c/d")), "a 2 km c/d");
    let (numbers, text) = (vec![1, 2, 3], String::from("abc"));
    let (slice, borrowed) = (&numbers[1..], &text);
    assert_eq!(loky::closure!(|i: usize| slice[i] + borrowed.len()).run(0).expect("a part"), 5);
    finish();
}

/// Spawned, run, bound with options; no arguments and many; borrowed ones, patterns, `mut`.
fn closure_03_every_form_and_every_arity() {
    let k = 1;
    let one = loky::closure!(|mut x: u64| {
        x += k;
        x
    });
    assert_eq!(one.spawn(1).join().expect("spawned"), 2);
    assert_eq!(one.bind(2).retries(1).priority(1).run().expect("bound"), 3);
    let copy = one.clone();
    drop(one);
    assert_eq!(copy.run(3).expect("a clone"), 4);
    let two = loky::closure!(|(a, b): (u64, u64), [c, d]: [u64; 2]| -> u64 { a + b + c + d + k });
    assert_eq!(two.run((1, 2), [3, 4]).expect("patterns"), 11);
    let text = String::from("four");
    let borrowed = loky::closure!(|text: &str, all: &[f64], n: &u8| text.len() + all.len() + usize::from(*n));
    assert_eq!(borrowed.run(&text, &[1.0, 2.0], &3).expect("borrowed"), 9);
    let twelve = loky::closure!(|a: u8,
                                 b: u8,
                                 c: u8,
                                 d: u8,
                                 e: u8,
                                 f: u8,
                                 g: u8,
                                 h: u8,
                                 i: u8,
                                 j: u8,
                                 k: u8,
                                 l: u8| a + b + c + d + e + f + g + h + i + j + k + l);
    assert_eq!(twelve.run(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12).expect("twelve"), 78);
    finish();
}

/// A call may change and give away what it has captured; the next one has its own.
fn closure_04_a_call_has_captures_of_its_own() {
    let all = vec![1, 2];
    let longer = loky::closure!(|x: i64| {
        let mut all = all;
        all.push(x);
        all
    });
    assert_eq!(longer.run(3).expect("once"), [1, 2, 3]);
    assert_eq!(longer.run(4).expect("and again"), [1, 2, 4]);
    let given: Vec<_> = (0..3).par_map(longer).map(|result| result.expect("it ran").len()).collect();
    assert_eq!(given, [3; 3]);
    assert_eq!(all, [1, 2]);
    finish();
}

impl Settings {
    /// Captures `self`.
    fn scaled(&self, x: i64) -> Result<String, loky::Error> {
        loky::closure!(|x: i64| format!("{}{}", self.label, self.factor * x)).run(x)
    }
}

/// In a method, `self` is captured like any reference.
fn closure_05_the_method_of_a_captured_self() {
    let settings = Settings { factor: 3, label: "l".to_string() };
    assert_eq!(settings.scaled(5).expect("it ran"), "l15");
    finish();
}

/// A function of this file.
fn square(x: i64) -> i64 {
    x * x
}

/// A generic one.
fn shown<T: std::fmt::Display>(x: T) -> String {
    x.to_string()
}

/// Functions need no bytes to travel, and neither do closures that capture nothing.
fn closure_06_functions_and_closures_as_values() {
    let plus_one = |x: i64| x + 1;
    let all = loky::closure!(|xs: Vec<i64>| xs.into_iter().map(square).map(plus_one).map(shown).collect::<Vec<_>>());
    assert_eq!(all.run(vec![1, 2]).expect("as values"), ["2", "5"]);
    let called = loky::closure!(|x: i64| shown(square(plus_one(x))));
    assert_eq!(called.run(2).expect("called"), "9");
    finish();
}

/// With items that stand for arguments, over tuples, unordered.
fn closure_07_mapped_over_a_collection() {
    let k = 10;
    let out: Vec<i64> = (0..1000).par_map(loky::closure!(|x: i64| x * k)).collect::<Result<_, _>>().expect("all");
    assert_eq!(out, (0..1000).map(|x| x * k).collect::<Vec<_>>());
    let names = [String::from("a"), String::from("bcd")];
    let lengths: Vec<usize> = names.iter().par_map(loky::closure!(|name: &str| name.len())).unwrap_all();
    assert_eq!(lengths, [1, 3]);
    let sums: Vec<i64> = vec![(1, 2), (3, 4)].par_map(loky::closure!(|a: i64, b: i64| a + b + k)).unwrap_all();
    assert_eq!(sums, [13, 17]);
    let mut places: Vec<_> = (0..50)
        .par_map(loky::closure!(|x: i64| x + k))
        .chunk_size(7)
        .unordered()
        .map(|(place, result)| (place, result.expect("it ran")))
        .collect();
    places.sort_unstable();
    assert_eq!(places[49], (49, 59));
    finish();
}

/// `async` bodies, `?` and `return`.
fn closure_08_async_and_results() {
    let k = 2;
    let later = loky::closure!(async |x: u64| {
        std::future::ready(()).await;
        x * k
    });
    assert_eq!(later.run(4).expect("async"), 8);
    let of_a_future = loky::closure!(|x: u64| async move { x + k });
    assert_eq!(of_a_future.run(4).expect("a future"), 6);
    let parse = loky::closure!(|text: &str| -> Result<u64, String> {
        if text.is_empty() {
            return Ok(0);
        }
        let number: u64 = text.parse().map_err(|why| format!("{text}: {why}"))?;
        Ok(number * k)
    });
    assert_eq!(parse.run("").expect("returned"), Ok(0));
    assert_eq!(parse.run("21").expect("parsed"), Ok(42));
    assert!(parse.run("x").expect("refused").is_err());
    finish();
}

/// Makes a closure and gives it away.
fn multiplier(by: u64) -> Closure<fn(u64), u64, 1> {
    loky::closure!(|x: u64| x * by)
}

/// Each instance of a generic function has a closure of its own.
fn shown_with<T: Serialize + for<'de> Deserialize<'de> + std::fmt::Debug + 'static>(value: T) -> String {
    loky::closure!(|n: u8| format!("{value:?}{n}")).run(1).expect("it ran")
}

/// Closures are returned, kept together, made in generic functions and in loops.
fn closure_09_generic_code_around_it() {
    let several = [multiplier(2), multiplier(3)];
    assert_eq!(several.iter().map(|by| by.run(10).expect("it ran")).collect::<Vec<_>>(), [20, 30]);
    assert_eq!((shown_with('a'), shown_with("b".to_string())), ("'a'1".to_string(), "\"b\"1".to_string()));
    let handles: Vec<_> = (0..4).map(|i| loky::closure!(|| i * i).spawn()).collect();
    assert_eq!(loky::join_all(handles).expect("all"), [0, 1, 4, 9]);
    finish();
}

/// Faults carry the closure's place, and captures that refuse are errors of the call.
fn closure_10_what_goes_wrong_is_told() {
    let zero = 0;
    let error = fails(loky::closure!(|x: u8| x / zero).run(1), ErrorKind::Panic);
    let name = error.task().expect("it has a name");
    assert!(name.starts_with("tasks::closures::closure@") && name.contains("closures.rs:"), "{name}");
    let unwilling = Thorn::new(Moment::Encode, Fault::Error);
    let error = fails(loky::closure!(|x: u8| (x, unwilling).0).run(1), ErrorKind::Encode);
    assert!(error.to_string().contains("captured `unwilling` cannot be encoded"), "{error}");
    assert!(!error.may_have_run());
    let broken = Thorn::new(Moment::Decode, Fault::Error);
    let error = fails(loky::closure!(|x: u8| (x, broken).0).run(1), ErrorKind::Decode);
    assert!(!error.may_have_run(), "{error}");
    let deadly = Thorn::new(Moment::Decode, Fault::Exit(3));
    let reference = &deadly;
    let errors: Vec<_> = (0..3)
        .par_map(loky::closure!(|x: u8| (x, reference).0))
        .map(|result| result.expect_err("dies").kind())
        .collect();
    assert_eq!(errors, [ErrorKind::Crash; 3], "whoever dies of its captures is to blame for it");
    finish();
}

/// Counts how often it was decoded in this process.
#[derive(Serialize)]
struct Counted(u8);

/// How often.
static DECODED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DECODED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        u8::deserialize(deserializer).map(Self)
    }
}

/// What a reference points to is shared by the items of a chunk.
fn closure_11_captures_are_read_once_for_a_chunk() {
    let pool = loky::Pool::builder().workers(1).build().expect("a pool");
    let counted = &Counted(1);
    let count =
        loky::closure!(|x: usize| x + usize::from(counted.0) - 1 + DECODED.load(std::sync::atomic::Ordering::SeqCst));
    let counts: Vec<usize> = std::iter::repeat_n(0, 10).par_map(count).chunk_size(5).on(&pool).unwrap_all();
    assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
    pool.shutdown();
    finish();
}

/// Captures of many megabytes travel beside the arguments.
fn closure_12_large_captures() {
    let numbers: Vec<u64> = (0..1_000_000).collect();
    let all = &numbers[..];
    let sums: Vec<u64> =
        (0..4_usize).par_map(loky::closure!(|i: usize| all[i..].iter().sum::<u64>())).chunk_size(2).unwrap_all();
    let expected: Vec<u64> = (0..4).map(|i| numbers[i..].iter().sum()).collect();
    assert_eq!(sums, expected);
    finish();
}
