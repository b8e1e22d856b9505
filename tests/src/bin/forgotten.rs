//! A program that forgot `loky::main!`: what it gets, and how often it was started, is what the tests look at.
//!
//! It leaves a line for each time that it is started, tries to spawn in every way, and prints what it was told and
//! what the kernel has counted of its children.

use std::fs::File;
use std::io::Write;

use loky::prelude::*;
use loky_tests::tasks::square;
use nix::sys::resource::{UsageWho, getrusage};

fn main() {
    let path = std::env::var_os("STARTS").expect("the case names a file");
    let mut starts = File::options().create(true).append(true).open(path).expect("the file can be written");
    writeln!(starts, "{}", std::process::id()).expect("the file can be written");
    let own = loky::Pool::builder().workers(2).build();
    let errors = [
        square.run(3).err(),
        square.spawn(3).join().err(),
        square.bind(3).run().err(),
        own.and_then(|pool| square.bind(3).on(&pool).run()).err(),
        (0..3).par_map(square).find_map(Result::err),
    ];
    for error in errors {
        let error = error.expect("no call can succeed");
        println!("{:?} {} {error}", error.kind(), error.may_have_run());
    }
    // A child that was started and reaped has cost page faults, however short it lived.
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).expect("a process may ask for its own usage");
    println!("children cost {} page faults", children.minor_page_faults() + children.major_page_faults());
}
