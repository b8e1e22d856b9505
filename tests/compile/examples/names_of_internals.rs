//! Names that generated code uses itself, as parameters, types and modules of the user's.

#![deny(warnings)]

use loky::prelude::*;

mod core {}
mod std {}

/// All of these hide what everybody else means by them.
mod hidden {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) struct Option;
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) enum Result {
        Ok,
    }
    pub(crate) struct PhantomData;
    pub(crate) trait Fn {}
    pub(crate) trait Sized {}
    impl Fn for PhantomData {}
    impl Sized for PhantomData {}
}

#[loky::task]
fn same(same: u8, argument0: u8, argument1: u8, arg0: u8, function: u8, private: u8, krate: u8, reader: u8) -> u8 {
    same + argument0 + argument1 + arg0 + function + private + krate + reader
}

mod there {
    use super::hidden::{Fn, Option, PhantomData, Result, Sized};

    #[loky::task]
    pub(super) fn with_other_types(_: Option, _: &[Option]) -> Result {
        fn is<T: Fn + Sized>(_: T) {}
        is(PhantomData);
        Result::Ok
    }

    #[loky::task]
    pub(super) fn generic_there<T>(_: T, _: Option) -> Result {
        Result::Ok
    }
}

#[loky::task]
fn entry<Place>(instance: Vec<Place>) -> usize {
    instance.len()
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!(same.run(1, 2, 3, 4, 5, 6, 7, 8)?, 36);
        assert_eq!(same::run(1, 2, 3, 4, 5, 6, 7, 8)?, 36);
        assert!(matches!(there::with_other_types.run(hidden::Option, &[])?, hidden::Result::Ok));
        assert!(matches!(there::generic_there.run(1_u8, hidden::Option)?, hidden::Result::Ok));
        assert_eq!(entry.run(vec![1, 2])?, 2);
        let (function, reader, argument0, receiver, captures) = (1, 2, 3, 4, 5);
        let closure = loky::closure!(|argument: u8| function + reader + argument0 + receiver + captures + argument);
        assert_eq!(closure.run(6)?, 21);
        Ok(())
    }
}
