//! Two tasks of one name in a test program, which has no `main!` that could say so at the start.
#![cfg(feature = "clash")]

use loky::ErrorKind;
use loky::prelude::*;

/// Has the name of another one.
#[loky::task(name = "unused in version 2")]
fn clashing() {}

#[test]
fn nothing_is_started_and_every_call_says_why() {
    let pool = loky::Pool::builder().workers(1).build().expect("a pool");
    pool.warm_up();
    assert_eq!(pool.stats().launches, 0, "no worker could tell its tasks apart");
    let errors = [first::version.bind().on(&pool).run(), second::version.bind().on(&pool).run()];
    for error in errors.map(|result| result.expect_err("it cannot run")) {
        assert_eq!(error.kind(), ErrorKind::UnknownTask);
        assert!(error.to_string().contains("twins/two/src/lib.rs"), "{error}");
    }
}
