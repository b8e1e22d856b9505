//! Each test runs the crate in a worker: what it does to its process, it does to that one. There is no setup, neither for a
//! harness nor for `main`.

use std::time::Duration;
use std::{env, thread};

use loky::prelude::*;

use super::*;

/// The functions of the crate need not be tasks themselves.
#[loky::task]
fn computed(text: &str, digits: Option<u32>) -> Result<f64, String> {
    digits.into_iter().for_each(set_digits);
    compute(text)
}

/// A worker lives on after its call; this pool's do not.
fn fresh() -> loky::Pool {
    loky::Pool::builder().workers(1).max_calls_per_worker(1).build().expect("a pool")
}

#[test]
fn a_nesting_without_end_overflows_the_stack() {
    let error = computed.run(&"(".repeat(1_000_000), None).unwrap_err();
    assert!(error.is_crash() && error.stderr_tail().is_some_and(|words| words.contains("overflow")), "{error}");
}

#[test]
fn the_setting_is_of_the_whole_process() {
    let pool = fresh();
    let third = |digits| computed.bind("0.33333*1", digits).on(&pool).run().unwrap().unwrap();
    assert_eq!((third(Some(1)), third(None)), (0.3, 0.333), "the second one is another process");
    assert_eq!(compute("0.33333*1"), Ok(0.333), "and the tests beside this one have never heard of it");
}

#[test]
fn surroundings_are_changed_for_one_test_alone() {
    let here = env::current_dir().unwrap();
    let elsewhere = loky::closure!(|| {
        env::set_current_dir("/").unwrap();
        env::current_dir().unwrap()
    });
    assert_eq!(elsewhere.bind().on(&fresh()).run().unwrap(), std::path::Path::new("/"));
    assert_eq!(env::current_dir().unwrap(), here);
}

#[test]
fn what_hangs_fails_in_time() {
    let hangs = loky::closure!(|| thread::park());
    let error = hangs.bind().timeout(Duration::from_millis(200)).run().unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

#[test]
fn many_inputs_are_tried_at_once() {
    let inputs = [("1+2*3", Ok(7.0)), ("(1+2)*3", Ok(9.0)), ("2*", Err("".into())), ("1)", Err(")".into()))];
    let computed = inputs.iter().map(|(text, _)| (*text, None)).par_map(computed).unwrap_all();
    assert_eq!(computed, inputs.map(|(_, expected)| expected));
}
