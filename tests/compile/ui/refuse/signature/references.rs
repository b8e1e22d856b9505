//! Borrows that could not be lent: to be changed, forever, inside of something, of something else.

use std::borrow::Cow;

#[loky::task]
fn change(total: &mut u64, all: &mut [u64]) {
    *total += all[0];
}

#[loky::task]
fn forever(text: &'static str, all: &'static [u8]) -> usize {
    text.len() + all.len()
}

#[loky::task]
fn nested(a: &&str, b: &[&str], c: (&str, u8), d: Vec<&u8>, e: &Option<&mut u8>) -> usize {
    a.len() + b.len() + c.0.len() + d.len() + e.iter().count()
}

#[loky::task]
fn borrowing(a: Cow<'_, str>, b: Cow<'static, str>) -> usize {
    a.len() + b.len()
}

struct Words<'a>(&'a str);

#[loky::task]
fn named<'a>(words: Words<'a>, lent: &Words<'a>) -> usize {
    words.0.len() + lent.0.len()
}

fn main() {
    change(&mut 1, &mut [2]);
    forever("", &[]);
    nested(&"", &[], ("", 1), vec![], &None);
    borrowing("".into(), "".into());
    named(Words(""), &Words(""));
}
