//! What becomes of what tasks print, in every mode.

mod capture;
mod flood;
mod order;
mod prefix;

use std::process::ExitCode;

use loky::{Output, Pool};

loky::main! {
    fn main() -> ExitCode {
        let areas = [capture::CASES, flood::CASES, order::CASES, prefix::CASES];
        loky_tests::run(&areas, &[capture::PROGRAMS, flood::PROGRAMS, order::PROGRAMS, prefix::PROGRAMS].concat())
    }
}

/// A pool that does so with what its workers print.
fn pool_with(output: Output, workers: usize) -> Pool {
    Pool::builder().workers(workers).output(output).build().expect("a pool")
}

/// What a program has printed on its two streams.
#[track_caller]
fn printed(program: &str) -> [String; 2] {
    let output = loky_tests::program(program).output().expect("a program");
    let text = |bytes| String::from_utf8(bytes).expect("the programs print text");
    let [out, error] = [text(output.stdout), text(output.stderr)];
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    [out, error]
}
