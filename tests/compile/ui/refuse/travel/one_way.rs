//! Types that can be written and not read, or read and not written.

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Written(i32);

#[derive(Deserialize)]
struct Read(i32);

#[loky::task]
fn arguments(written: Written, read: Read, lent: &Written) -> i32 {
    written.0 + read.0 + lent.0
}

#[loky::task]
fn result() -> (Written, Read) {
    (Written(1), Read(2))
}

#[derive(Serialize, Deserialize)]
struct Whole<T>(T);

#[loky::task]
fn parts(whole: Whole<Written>) -> Whole<Vec<Read>> {
    let _ = whole;
    Whole(vec![])
}

fn main() {
    arguments(Written(1), Read(2), &Written(3));
    result();
    parts(Whole(Written(1)));
}
