//! What a task can be given: nothing at all in many forms, borrows of every sort, types with a default.

#![deny(warnings)]
#![expect(unused_parens, reason = "they are no part of a type")]

use std::ffi::OsString;
use std::marker::PhantomData;
use std::path::Path;

use loky::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
struct Unit;

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug)]
struct Empty {}

#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
enum Never {}

#[loky::task]
fn zero_sized(_: (), _: Unit, _: Empty, _: [(); 3], _: PhantomData<fn() -> String>, none: Option<Never>) -> bool {
    none.is_none()
}

#[loky::task]
fn zero_sized_and_lent(_: &(), _: &Unit, units: &[()], empties: &[Empty; 2], _: &PhantomData<str>) -> usize {
    units.len() + empties.len()
}

#[loky::task]
fn lent(text: &Box<str>, list: &Vec<String>, rows: &[[f64; 2]], pair: &(u8, Option<char>), path: &Path) -> usize {
    text.len() + list.len() + rows.len() + usize::from(pair.0) + path.components().count()
}

#[loky::task]
fn parenthesized(a: (&str), b: &(str), c: (u8)) -> usize {
    a.len() + b.len() + usize::from(c)
}

#[loky::task]
fn anonymous(a: &'_ str, b: &'_ [u8]) -> usize {
    a.len() + b.len()
}

#[loky::task]
fn of_the_system(name: OsString, wide: u128, letter: char) -> (OsString, u128, char) {
    (name, wide, letter)
}

#[loky::task]
fn optional(a: Option<Option<()>>, b: Result<u8, ()>, c: Option<[(); 0]>) -> (Option<Option<()>>, bool) {
    (a, b.is_ok() && c.is_none())
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert!(zero_sized.run((), Unit, Empty {}, [(); 3], PhantomData, None)?);
        assert!(zero_sized::run((), Unit, Empty {}, [(); 3], PhantomData, None)?);
        assert_eq!(zero_sized_and_lent.run(&(), &Unit, &[(), ()], &[Empty {}; 2], &PhantomData)?, 4);
        assert_eq!(zero_sized_and_lent::run(&(), &Unit, &[], &[Empty {}; 2], &PhantomData)?, 2);
        let (text, list, path) = (Box::from("four"), vec![String::new()], Path::new("a/b").to_path_buf());
        assert_eq!(lent.run(&text, &list, &vec![[1.0; 2]], &(3, None), &path)?, 11);
        assert_eq!(lent::run(&text, &list, &[], &(3, None), &path)?, 10);
        assert_eq!((parenthesized.run("a", "b", 1)?, anonymous.run(&"a".to_owned(), &[])?), (3, 1));
        assert_eq!(of_the_system.run("x".into(), u128::MAX, '\0')?, ("x".into(), u128::MAX, '\0'));
        assert_eq!(optional.run(Some(None), Ok(1), None)?, (Some(None), true));
        Ok(())
    }
}
