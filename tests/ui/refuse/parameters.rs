//! Parameters that cannot travel, or could not be lent on the other side.

use std::borrow::Cow;
use std::fmt::{Debug, Display};

#[loky::task]
fn sort(all: &mut Vec<u64>) {
    all.sort();
}

#[loky::task]
fn show(what: impl Display) -> String {
    what.to_string()
}

#[loky::task]
fn keep(text: &'static str) -> usize {
    text.len()
}

#[loky::task]
fn inspect(value: &dyn Debug) -> String {
    format!("{value:?}")
}

#[loky::task]
fn greet(name: Option<&str>, title: Cow<'_, str>, _ok: Cow<'static, str>) -> usize {
    name.map_or(0, str::len) + title.len()
}

#[loky::task]
fn conditional(#[cfg(any())] gone: u8, here: u8) -> u8 {
    here
}

fn main() {
    sort(&mut vec![]);
    show(1);
    keep("");
    inspect(&1);
    greet(None, "".into(), "".into());
    conditional(1);
}
