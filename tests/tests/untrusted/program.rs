//! The example's program: built by cargo, started, spoken to, looked at from outside, and ended.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use loky_tests::{example, procfs, sys};

/// A running service.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    output: BufReader<ChildStdout>,
}

impl Service {
    /// Builds it if need be, and starts it on a port of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(example::built("untrusted", env!("CARGO_TARGET_TMPDIR")));
        command.arg("127.0.0.1:0").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        if sys::landlock_version() < 3 {
            println!("this kernel has no Landlock, or an old one: the service runs without its sandbox");
            command.arg("--without-sandbox");
        }
        let mut child = command.spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit_once('/').and_then(|(_, address)| address.parse().ok());
        Self { address: address.unwrap_or_else(|| panic!("it said {line:?}")), child, output }
    }

    /// Memory of the program itself, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        line.trim().trim_end_matches("kB").trim_end().parse().expect("a number")
    }

    /// Threads and descriptors of the program.
    pub(crate) fn holdings(&self) -> (usize, usize) {
        (procfs::threads_of(self.child.id()).len(), procfs::descriptors_of(self.child.id()).len())
    }

    /// Waits for its end; returns what it said last, too.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("text");
        (self.child.wait().expect("it is ours"), text)
    }
}
