//! A program and its agents, started and looked after.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use loky_tests::{Gate, eventually, ms, procfs, program, within};

/// What a case has started.
pub(crate) struct Site {
    pub(crate) address: String,
    pub(crate) agents: Vec<Child>,
}

pub(crate) const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// In a program: which processes its agents are.
const AGENTS: &str = "LOKY_TESTS_AGENTS";

impl Site {
    /// So many agents, of one worker each.
    pub(crate) fn new(agents: usize) -> Self {
        Gate::new("gate");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        drop(listener);
        let mut site = Self { address, agents: Vec::new() };
        (0..agents).for_each(|_| site.start(Command::new("/proc/self/exe"), SECRET));
        site
    }

    pub(crate) fn start(&mut self, mut agent: Command, secret: &str) {
        agent.env("LOKY_AGENT", &self.address).env("LOKY_CLUSTER_SECRET", secret).env("LOKY_MAX_CPU_COUNT", "1");
        self.agents.push(agent.stdin(Stdio::null()).spawn().expect("an agent"));
    }

    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = program(name);
        let agents: Vec<_> = self.agents.iter().map(|agent| agent.id().to_string()).collect();
        command.env("LOKY_CLUSTER", format!("listen:{}", self.address)).env("LOKY_CLUSTER_SECRET", SECRET);
        command.env(AGENTS, agents.join(","));
        command
    }

    /// Plays a program to its end, which must be a good one. The agents end with it.
    pub(crate) fn play(self, name: &str) {
        let status = self.program(name).status().expect("the program");
        assert!(status.success(), "{name} ended with {status}");
        self.end();
    }

    /// All agents end by themselves, and well, unless somebody has killed them.
    pub(crate) fn end(mut self) {
        for agent in &mut self.agents {
            let id = agent.id();
            let status = within(ms(10_000), || agent.try_wait().expect("it is a child"));
            let status = status.unwrap_or_else(|| panic!("agent {id} has not ended: {}", procfs::dump(id)));
            assert!(status.success() || status.signal() == Some(9), "agent {id} ended with {status}");
        }
    }
}

/// In a program: its agents.
pub(crate) fn agents() -> Vec<u32> {
    let agents = std::env::var(AGENTS).expect("the case names them");
    agents.split(',').map(|pid| pid.parse().expect("they are numbers")).collect()
}

/// In a program: waits until so many agents have come.
pub(crate) fn await_agents(count: usize) {
    let pool = loky::pool();
    eventually("all agents have come", || pool.stats().live == count);
    assert_eq!(pool.workers(), count);
}

/// The process that hosts the worker: an agent.
#[loky::task]
pub(crate) fn host_of_worker() -> u32 {
    std::os::unix::process::parent_id()
}

/// The same after a while.
#[loky::task]
pub(crate) fn host_after(millis: u64) -> u32 {
    std::thread::sleep(ms(millis));
    std::os::unix::process::parent_id()
}

pub(crate) fn set_of<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}
