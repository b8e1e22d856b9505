//! Tasks named like what everybody has in scope: functions of the prelude, macros, types, methods of the dot form.

#![deny(warnings)]

use loky::prelude::*;

#[loky::task]
fn drop(x: u8) -> u8 {
    x + 1
}

#[loky::task]
fn vec(length: usize) -> Vec<u8> {
    vec![0; length]
}

#[loky::task]
fn format(text: &str) -> String {
    format!("<{text}>")
}

#[loky::task]
fn main_() -> u8 {
    7
}

#[loky::task]
fn clone(x: &String) -> String {
    x.clone()
}

#[loky::task]
fn join(joined: Vec<String>) -> String {
    joined.join("-")
}

#[loky::task]
fn result() -> Result<u8, ()> {
    Ok(1)
}

#[loky::task]
fn core() -> u8 {
    2
}

#[loky::task]
fn std(core: u8) -> u8 {
    core
}

/// One that hides the types of its names.
mod upper {
    #![expect(non_snake_case, reason = "that is the point")]

    #[loky::task]
    pub(crate) fn String(x: &str) -> std::string::String {
        x.to_owned()
    }

    #[loky::task]
    pub(crate) fn Result(ok: u8) -> std::result::Result<u8, ()> {
        Ok(ok)
    }

    #[loky::task]
    pub(crate) fn Option<Vec>(some: Vec) -> std::option::Option<Vec> {
        Some(some)
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((drop.run(1)?, drop::run(2)?), (2, 3));
        assert_eq!(vec.run(2)?, vec::run(2)?);
        assert_eq!((format.run("a")?, format::run("b")?), (String::from("<a>"), String::from("<b>")));
        assert_eq!(main_.run()?, 7);
        assert_eq!(join.spawn(vec![String::from("a"), String::from("b")]).join()?, "a-b");
        assert_eq!((result.run()?, core.run()?, std.run(3)?), (Ok(1), 2, 3));
        assert_eq!((core::run()?, std::run(3)?), (2, 3));
        assert_eq!((upper::String.run("x")?, upper::String::run("y")?), ("x".to_owned(), "y".to_owned()));
        assert_eq!((upper::Result.run(1)?, upper::Option.run(1)?), (Ok(1), Some(1)));
        Ok(())
    }
}
