//! Pools and handles belong to the process that has them: a call cannot wait elsewhere for what its own pool runs.

use loky::prelude::*;

#[loky::task]
fn square(x: u64) -> u64 {
    x * x
}

#[loky::task]
fn on_a_pool(pool: loky::Pool) -> u64 {
    square.bind(3).on(&pool).run().unwrap()
}

#[loky::task]
fn of_a_handle(handle: loky::JoinHandle<u64>) -> u64 {
    handle.join().unwrap()
}

fn main() {
    let _ = (square, on_a_pool, of_a_handle);
}
