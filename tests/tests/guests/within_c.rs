//! Tasks in a shared library that a program in C loads: its workers are that program again.

use std::path::{Path, PathBuf};
use std::process::Command;

use loky_tests::{Case, cases, scratch};

use super::{Said, cargo, guests};

pub(crate) const CASES: &[Case] = cases![env_10_in_a_library_that_a_program_in_c_loads: 600];

/// `None` where nobody can compile it.
fn compiled() -> Option<PathBuf> {
    let program = scratch().join("program");
    let mut compiler = Command::new("cc");
    compiler.arg(guests().join("within_c/program.c")).arg("-o").arg(&program).arg("-ldl");
    let output = compiler.output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(program)
}

/// What the program prints, line by line, that calls the entry at these times.
fn said(program: &Path, init: &str) -> Vec<String> {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests/debug/libwithin_c.so");
    let mut command = Command::new(program);
    let said = Said::by(command.env("WITHIN_C", library).env("WITHIN_C_INIT", init)).good();
    said.out.lines().map(str::to_owned).collect()
}

fn env_10_in_a_library_that_a_program_in_c_loads() {
    let Some(program) = compiled() else {
        println!("SKIPPED: there is no compiler for C");
        return;
    };
    cargo(&["build", "-p", "within_c"]).good();
    let lines = said(&program, "always");
    assert_eq!(lines[..2], ["add 3", "map 198"], "its functions run in workers");
    for (line, name) in lines[2..].iter().zip(["first UnknownTask", "closure UnknownTask"]) {
        assert!(line.starts_with(name) && line.contains("its code lies in a shared library"), "{line}");
    }
    assert_eq!(lines.len(), 4, "{lines:?}");
    let lines = said(&program, "never");
    assert!(lines[0].starts_with("add NotInitialized ") && lines[0].contains("`loky::init()`"), "{lines:?}");
    // Its workers come to the program's own code, where nothing can be started: so there are no more and more of them.
    let lines = said(&program, "once");
    let told = lines.iter().filter(|line| line.starts_with("add Launch ")).count();
    let workers = lines.iter().filter(|line| line.starts_with("add NotInitialized ")).count();
    assert!(told == 1 && (3..=6).contains(&workers), "{lines:?}");
}
