//! The harness of every test that starts a process: a case runs in a process of its own, watched from outside.
//!
//! Four roles share one binary, told apart by one environment variable. The *runner* is what `cargo test` starts: it
//! speaks libtest's command line and starts a *warden* per case. The warden starts the *case*, becomes the parent of
//! every orphan the case leaves, enforces its limit and looks for what is left behind. A case may start *programs*:
//! whole programs with pools of their own, to be killed. It knows nothing of what the cases assert.

mod census;
pub mod cgroup;
pub mod example;
pub mod expect;
pub mod gate;
pub mod poll;
pub mod procfs;
pub mod program;
pub mod random;
mod runner;
mod stress;
pub mod sys;
pub mod tasks;
pub mod terminal;
pub mod thorn;
mod traced;
mod warden;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

pub use census::leaves_nothing;
pub use expect::{fails, ms, pool_of};
pub use gate::Gate;
pub use poll::{eventually, falls_asleep, patience, soon, stays, within};
pub use program::{Program, program};
pub use random::Random;
pub use stress::rounds;
pub use terminal::Terminal;
pub use traced::Traced;

/// One test: a name, a body that panics if something is wrong, and the time it may take.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    name: &'static str,
    body: fn(),
    limit: Duration,
    is_listed: bool,
}

impl Case {
    /// A case under the name of its function, with the default limit of 60 seconds.
    pub const fn new(name: &'static str, body: fn()) -> Self {
        Self { name, body, limit: LIMIT, is_listed: true }
    }

    /// The same case with a limit of its own, in seconds.
    pub const fn limit(self, seconds: u64) -> Self {
        Self { limit: Duration::from_secs(seconds), ..self }
    }

    /// The same case, unknown to the command line: it is bad on purpose, and a good case watches it fail.
    pub const fn unlisted(self) -> Self {
        Self { is_listed: false, ..self }
    }
}

/// How to run a case as the runner does, watched by a warden of its own.
pub fn watched(case: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env(ROLE, format!("warden:{case}"));
    command
}

/// The cases of one file, each named by its function: `cases![submit_01_adds, submit_08_threads: 120]`. A number is
/// a limit in seconds.
#[macro_export]
macro_rules! cases {
    ($($name:ident $(: $seconds:literal)?),* $(,)?) => {
        &[$($crate::Case::new(stringify!($name), $name)$(.limit($seconds))?),*]
    };
}

/// The whole `main` of a test binary: plays whichever role this process was started in.
pub fn run(areas: &[&[Case]], programs: &[Program]) -> ExitCode {
    let role = std::env::var(ROLE).unwrap_or_default();
    match role.split_once(':') {
        None => runner::run(areas),
        Some(("warden", name)) => warden::watch(find(areas, name)),
        Some(("case", name)) => {
            leaves_nothing(find(areas, name).body);
            ExitCode::SUCCESS
        }
        Some(("program", name)) => program::play(programs, name),
        Some(_) => panic!("{ROLE}={role} names no role"),
    }
}

/// The last line of a case that used `loky::pool()`: shuts it down, so that nothing of it may be left.
pub fn finish() {
    loky::pool().shutdown();
}

/// The name of the case that this process is: for a body that several cases share.
pub fn own_name() -> String {
    let role = std::env::var(ROLE).unwrap_or_default();
    role.strip_prefix("case:").expect("only a case has its name").to_owned()
}

/// A folder of this case alone, for the files it works with. Removed after the case, and not searched for leftovers.
pub fn scratch() -> PathBuf {
    std::env::var_os(SCRATCH).expect("the warden names a scratch folder").into()
}

fn find(areas: &[&[Case]], name: &str) -> Case {
    let mut cases = areas.iter().copied().flatten();
    *cases.find(|case| case.name == name).unwrap_or_else(|| panic!("no case is called {name}"))
}

/// How long a case may take unless it says otherwise.
const LIMIT: Duration = Duration::from_secs(60);

/// How long what a case has ended may still be seen. The last system call of a process that is reaped cleans up after
/// it in `/proc`, and on some kernels takes as long as somebody keeps looking there, as the check for leftovers does;
/// so this is more than the second in which everything must be gone, which the cases about that ask for themselves.
const GRACE: Duration = Duration::from_secs(4);

/// The variable that tells the roles apart: `warden:NAME`, `case:NAME`, `program:NAME`, or absent in the runner.
const ROLE: &str = "LOKY_TESTS_ROLE";

/// The variable that names the case's scratch folder.
const SCRATCH: &str = "LOKY_TESTS_SCRATCH";
