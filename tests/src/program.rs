//! Whole programs inside a test binary: what a case starts, watches from outside and kills.

use std::process::{Command, ExitCode, Stdio};

use crate::ROLE;

/// A program with a name and a `main` of its own.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
    main: fn(),
}

impl Program {
    /// A program under the name of its function.
    pub const fn new(name: &'static str, main: fn()) -> Self {
        Self { name, main }
    }
}

/// The programs of one test binary, each named by its function.
#[macro_export]
macro_rules! programs {
    ($($name:ident),* $(,)?) => { &[$($crate::Program::new(stringify!($name), $name)),*] };
}

/// How to start one of this binary's programs. Its standard input is empty; its output is the case's.
pub fn program(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env(ROLE, format!("program:{name}")).stdin(Stdio::null());
    command
}

/// Turns a command for another file into one that plays a program of this binary there.
pub fn as_program(command: &mut Command, name: &str) {
    command.env(ROLE, format!("program:{name}"));
}

pub(crate) fn play(programs: &[Program], name: &str) -> ExitCode {
    let found = programs.iter().find(|program| program.name == name);
    (found.unwrap_or_else(|| panic!("no program is called {name}")).main)();
    ExitCode::SUCCESS
}
