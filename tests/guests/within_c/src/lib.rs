//! What a program in C loads (`program.c`): its workers are that program again, caught where it calls `within_c_init`.

use loky::prelude::*;

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[loky::task]
fn first<T: Clone>(all: &[T]) -> Option<T> {
    all.first().cloned()
}

/// To be called first of all.
#[unsafe(no_mangle)]
pub extern "C" fn within_c_init() {
    loky::init();
}

/// Runs tasks in workers, and prints what comes of them.
#[unsafe(no_mangle)]
pub extern "C" fn within_c_run() {
    tell("add", add.run(1, 2));
    tell("map", (0..100_i64).map(|a| (a, a)).par_map(add).collect::<Result<Vec<_>, _>>().map(|sums| sums[99]));
    tell("first", first.run(&[5_i64, 6]).map(|first| first.unwrap_or(0)));
    let factor = 3;
    tell("closure", loky::closure!(|x: i64| x * factor).run(4));
    loky::pool().shutdown();
}

fn tell(name: &str, result: Result<i64, loky::Error>) {
    match result {
        Ok(result) => println!("{name} {result}"),
        Err(error) => println!("{name} {:?} {error}", error.kind()),
    }
}
