//! Captures there and back, with the macro itself and, around what it writes, just enough to run it at once.

#![expect(unused_imports, reason = "what the macro writes is meant for other crates, where this lint leaves it alone")]

use std::marker::PhantomData;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::arguments::{ArgumentReader, encode_arguments};
use super::super::entry::Fault;
use super::{Capture, Captured, Glue, Named};
use crate::error::{Error, ErrorKind};
use crate::sys::conjure::conjure;

/// What generated code names, with a closure that runs here.
pub(super) mod private {
    pub(crate) use super::super::super::{Lent, owned, version};
    pub(crate) use super::super::{CaptureFunction, Named, captures, passing, probe};
    pub(crate) use super::{closure, settle};
}

pub(crate) struct Unfinished<Signature, C>(Captured<C>, &'static str, PhantomData<Signature>);

pub(crate) fn closure<Signature, const ARITY: usize, P: Named, C: Capture>(
    _: P,
    of: Captured<C>,
) -> Unfinished<Signature, C> {
    assert_eq!(P::PLACE.0, file!());
    Unfinished(of, P::NAME, PhantomData)
}

pub(crate) fn settle<R>(result: R) -> R {
    result
}

/// A closure in bytes, and what a worker knows of it.
struct Sent<R> {
    captures: Result<Vec<u8>, Error>,
    run: fn(&[u8], &[u8]) -> Result<R, Fault>,
}

impl<Signature, C: Capture> Unfinished<Signature, C> {
    fn runs<R, G>(self, _: G) -> Sent<R>
    where
        G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
    {
        const { G::CAPTURES_NOTHING }
        assert!(self.1.contains("::closure@"));
        Sent { captures: self.0.into_encoded().map(|encoded| encoded.bytes), run: run::<C, G, R> }
    }
}

fn run<C: Capture, G, R>(captures: &[u8], arguments: &[u8]) -> Result<R, Fault>
where
    G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
{
    let mut reader = ArgumentReader::new(captures);
    let owner = C::read(&mut reader)?;
    reader.finish()?;
    conjure::<G>()(C::lend(&owner)?, &mut ArgumentReader::new(arguments))
}

impl<R> Sent<R> {
    fn run<T: Serialize>(&self, argument: T) -> R {
        let arguments = encode_arguments(|writer| writer.write(&argument)).unwrap();
        (self.run)(self.captures.as_ref().unwrap(), &arguments.bytes).unwrap()
    }
}

macro_rules! closure {
    ($($tokens:tt)*) => {
        loky_macros::closure!(crate::task::capture::tests; $($tokens)*)
    };
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct NotClone(i64);

impl NotClone {
    fn plus(&self, k: i64) -> Sent<i64> {
        closure!(|x: i64| self.0 + x + k)
    }
}

struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("a poisoned {}", "lock")
    }
}

impl<'de> Deserialize<'de> for Refuses {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("not even back")
    }
}

fn square(x: i64) -> i64 {
    x * x
}

fn shown<T: ToString>(x: T) -> String {
    x.to_string()
}

#[test]
fn values_are_fresh_in_each_call_and_stay_with_the_caller() {
    let (k, one, words) = (10, NotClone(1), vec![String::from("a")]);
    let sent = closure!(|x: i64| {
        let mut words = words;
        words.push(format!("{k} {x}"));
        (words, one)
    });
    for _ in 0..2 {
        assert_eq!(sent.run(2_i64), (vec!["a".into(), "10 2".into()], NotClone(1)));
    }
    assert_eq!((one.0, words.len()), (1, 1));
}

#[test]
fn what_references_point_to_is_lent() {
    let (text, path, all) = ("abc", Path::new("a/b"), &[NotClone(1), NotClone(2)][..]);
    let one = &NotClone(3);
    let sent = closure!(|x: i64| -> String { format!("{x} {text} {} {} {}", path.display(), all[1].0, one.0) });
    assert_eq!(sent.run(0_i64), "0 abc a/b 2 3");
}

#[test]
fn functions_take_no_bytes_and_come_back() {
    let plus_one = |x: i64| x + 1;
    let sent = closure!(|x: i64| [x].into_iter().map(square).map(plus_one).map(shown).collect::<String>());
    assert_eq!(sent.run(3_i64), "10");
}

#[test]
fn self_is_captured_as_the_reference_that_it_is() {
    assert_eq!(NotClone(1).plus(2).run(3_i64), 6);
}

#[test]
fn arguments_are_lent_and_taken_apart() {
    let k = 1_u8;
    let sent = closure!(|(text, count): (String, u8)| text.repeat(usize::from(count + k)));
    assert_eq!(sent.run(("ab", 1_u8)), "abab");
    let lent = closure!([k] |all: &[u8]| all.iter().map(|one| one + k).collect::<Vec<_>>());
    assert_eq!(lent.run(vec![1_u8, 2]), [2, 3]);
}

#[test]
fn a_capture_that_refuses_is_an_error_that_names_it() {
    let (k, lock) = (1, Refuses);
    let sent = closure!([k, lock] |x: u8| {
        let _lock: Refuses = lock;
        x + k
    });
    let error = sent.captures.unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Encode, false));
    assert!(error.to_string().contains("captured `lock` cannot be encoded: it panicked: a poisoned lock"), "{error}");
}

#[test]
fn damaged_captures_are_faults() {
    let word = String::from("a");
    let sent = closure!(|x: u8| (x, word));
    let fault = |bytes: &[u8]| (sent.run)(bytes, &[]).unwrap_err();
    assert_eq!(fault(&[]), Fault::Decode("a captured value is missing".into()));
    let why = fault(&[&1_u64.to_le_bytes()[..], &[9]].concat());
    assert!(matches!(&why, Fault::Decode(why) if why.starts_with("a captured `alloc::string::String`: ")), "{why:?}");
}
