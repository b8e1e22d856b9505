//! Where a task may stand: in modules, in function bodies, behind a macro or a condition, under another name.

use loky::prelude::*;
use loky_tests::{Case, cases, finish};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    task_20_in_a_module_and_under_another_name,
    task_21_inside_functions_and_blocks,
    task_22_written_by_a_macro,
    task_23_behind_a_condition,
    task_24_deprecated,
    task_25_a_function_without_the_attribute,
];

/// Tasks of every visibility.
mod deep {
    /// For the whole crate.
    #[loky::task]
    pub(crate) fn double(x: u64) -> u64 {
        2 * x
    }

    /// For the module above.
    #[loky::task]
    pub(super) fn triple(x: u64) -> u64 {
        3 * x
    }

    /// For one path.
    #[loky::task]
    pub(in crate::places) fn quadruple(x: u64) -> u64 {
        4 * x
    }
}

use deep::double as twice;

/// Both the function and its path form follow the new name; the task keeps its own.
fn task_20_in_a_module_and_under_another_name() {
    assert_eq!(twice(1), 2);
    assert_eq!(twice.run(1).expect("in dot form"), 2);
    assert_eq!(twice::run(1).expect("in path form"), 2);
    assert_eq!(deep::triple::run(1).expect("seen from above"), 3);
    assert_eq!(deep::quadruple::run(1).expect("seen from above"), 4);
    finish();
}

/// Two of one name in one function are two tasks.
fn task_21_inside_functions_and_blocks() {
    /// Outside of the block.
    #[loky::task]
    fn nested(x: u64) -> u64 {
        x + 1
    }
    let inner = {
        /// Inside of it.
        #[loky::task]
        fn nested(x: u64) -> u64 {
            x + 2
        }
        [nested.run(0).expect("in dot form"), nested::run(0).expect("in path form")]
    };
    assert_eq!(inner, [2, 2]);
    assert_eq!([nested.run(0).expect("in dot form"), nested::run(0).expect("in path form")], [1, 1]);
    finish();
}

/// Writes a task with a parameter of a given type.
macro_rules! length_of {
    ($name:ident, $($lent:ident: $borrowed:ty),*; $owned:ty) => {
        /// Written by a macro.
        #[loky::task]
        pub(crate) fn $name($($lent: &$borrowed,)* owned: $owned) -> usize {
            0 $(+ $lent.len())* + owned.len()
        }
    };
}

length_of!(of_texts, a: str, b: [u8]; String);

/// Types that come through a macro are types all the same.
fn task_22_written_by_a_macro() {
    assert_eq!(of_texts.run("a", &[1, 2], String::from("abc")).expect("in dot form"), 6);
    assert_eq!(of_texts::run("a", &[1, 2], String::from("abc")).expect("in path form"), 6);
    finish();
}

/// Not there.
#[loky::task]
#[cfg(any())]
fn conditional(missing: Missing) {}

/// There.
#[cfg(not(any()))]
#[loky::task]
fn conditional() -> u8 {
    1
}

/// What stands beside a function appears and disappears with it.
fn task_23_behind_a_condition() {
    assert_eq!(conditional::run().expect("the one that is there"), 1);
    finish();
}

/// Discouraged, and known to be.
#[deprecated(note = "for the test")]
#[loky::task]
fn old(x: u8) -> u8 {
    x
}

/// Only the user's own mention of it is complained about.
#[expect(deprecated, reason = "its use is what is tested")]
fn task_24_deprecated() {
    assert_eq!(old.run(1).expect("in dot form"), 1);
    assert_eq!(old::run(1).expect("in path form"), 1);
    finish();
}

/// A plain function.
fn stranger(x: u8) -> u8 {
    x
}

/// It compiles, and says what is missing.
fn task_25_a_function_without_the_attribute() {
    assert_eq!(stranger(1), 1);
    let error = loky_tests::fails(stranger.run(1), loky::ErrorKind::UnknownTask);
    assert_eq!(error.task(), Some("tasks::places::stranger"));
    assert!(error.to_string().contains("#[loky::task]"), "{error}");
    assert!(!error.may_have_run());
    let errors: Vec<_> = [1, 2].par_map(stranger).map(|result| result.map_err(|error| error.kind())).collect();
    assert_eq!(errors, [Err(loky::ErrorKind::UnknownTask); 2]);
    finish();
}
