//! Other attributes, before and after ours.

#![deny(warnings)]

use loky::prelude::*;

/// Documented above,
#[loky::task]
/// and below.
#[inline]
#[must_use]
fn documented(x: u8) -> u8 {
    x
}

#[cfg_attr(all(), loky::task)]
#[cold]
#[inline(never)]
fn by_condition(x: u8) -> u8 {
    x + 1
}

#[cfg_attr(any(), loky::task)]
fn not_a_task(x: u8) -> u8 {
    x
}

#[cfg(any())]
#[loky::task]
fn either() -> Missing {}

#[loky::task]
#[cfg(not(any()))]
#[doc(hidden)]
fn either() -> u8 {
    2
}

#[deprecated(since = "1.0", note = "for the test")]
#[loky::task]
fn old<T>(x: T) -> T {
    x
}

#[loky::task]
#[track_caller]
fn line() -> u32 {
    std::panic::Location::caller().line()
}

#[expect(unused_variables, reason = "that is the point")]
#[loky::task]
#[allow(clippy::needless_pass_by_value)]
fn unused(x: Vec<u8>) {}

#[must_use = "it is the point"]
#[loky::task(name = "named")]
#[allow(missing_docs, reason = "in passing")]
pub fn named() -> u8 {
    panic!("seen")
}

use loky::task as another_name;

#[another_name]
fn imported(x: u8) -> u8 {
    x
}

#[expect(deprecated, reason = "its use is what is tested")]
fn use_what_is_old() -> Result<u8, loky::Error> {
    old.run(old::run(1)?)
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((documented.run(1)?, documented::run(1)?, by_condition.run(1)?, by_condition::run(1)?), (1, 1, 2, 2));
        assert_eq!((not_a_task(1), either.run()?, use_what_is_old()?, imported.run(1)?), (1, 2, 1, 1));
        assert!(line.run()? > 0);
        unused.run(vec![1])?;
        assert_eq!(named.run().map_err(|error| error.task().map(str::to_owned)), Err(Some("named".to_owned())));
        Ok(())
    }
}
