//! Mode B: a program in an allocation of several nodes, on which it has `srun` start an agent each.
//!
//! One step starts them all. An agent that is lost while its node lives is started again in a step of its own, since the
//! first one goes on with those that are left; if the whole step was lost, as with its `srun`, one step starts all again.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::detect::Allocation;
use super::invitation::{self, Standing};
use super::roster::Roster;
use super::variables::Variables;
use super::{hostlist, starter};
use crate::env;
use crate::sys::process;

/// The steps that run agents.
#[derive(Debug)]
pub(super) struct Agents {
    nodes: Vec<String>,
    program: String,
    environment: String,
    steps: Vec<Step>,
    roster: Roster,
    /// Whether it is known that the allocation outlives a lost node.
    is_kept: bool,
}

/// One `srun`, and the numbers of its nodes.
#[derive(Debug)]
struct Step {
    srun: Child,
    nodes: Vec<usize>,
}

/// As many steps of single nodes are begun at once: each is a request to the controller, which serves a whole cluster.
const AT_ONCE_MAX: usize = 8;

/// For a step that may use what the allocation has, beside other steps; which goes on with what is left when something is
/// lost; and of which each agent may use all processors of its node. What is set here would otherwise come from variables
/// that the allocation or the user has set for other steps.
const OPTIONS: [&str; 12] = [
    "--overlap",
    "--no-kill",
    "--kill-on-bad-exit=0",
    "--wait=0",
    "--mpi=none",
    "--ntasks-per-node=1",
    "--cpu-bind=none",
    "--distribution=block",
    "--export=ALL",
    "--input=none",
    "--quiet",
    "--unbuffered",
];

/// Variables by which `srun` would be told how many tasks to start.
const COUNTS: [&str; 6] = [
    "SLURM_NTASKS",
    "SLURM_NPROCS",
    "SLURM_NNODES",
    "SLURM_NTASKS_PER_NODE",
    "SLURM_NTASKS_PER_CORE",
    "SLURM_CPU_BIND",
];

impl Agents {
    pub(super) fn start(
        allocation: &Allocation,
        variables: &Variables,
        bound: &[SocketAddr],
        sealed: &str,
    ) -> Result<Self, String> {
        let nodes = hostlist::expand(&allocation.list)?;
        if nodes.len() != allocation.nodes as usize {
            return Err(format!("{} is a list of {} nodes, not {}", allocation.list, nodes.len(), allocation.nodes));
        }
        let environment = Standing::OfNode.environment(&invitation::words(bound, sealed));
        let program = program().map_err(|why| format!("the file of this program is not known: {why}"))?;
        let roster = Roster::new(nodes.len(), Instant::now());
        let is_kept = is_kept(variables);
        let mut agents = Self { nodes, program, environment, steps: Vec::new(), roster, is_kept };
        let all = (0..agents.nodes.len()).collect();
        agents.begin(all).map_err(|why| {
            format!("`srun`, which is to start the agents, cannot be run: {why}; with LOKY_CLUSTER=off, the program uses this machine alone")
        })?;
        Ok(agents)
    }

    pub(super) fn tend(&mut self, here: &[u32], now: Instant) -> Result<(), String> {
        self.reap(now);
        let due = self.roster.look(here, now);
        if due.len() == self.nodes.len() {
            self.begin_or_note(due, now);
        } else {
            let room = AT_ONCE_MAX.saturating_sub(self.steps.iter().filter(|step| self.is_awaited(step)).count());
            let (now_due, later) = due.split_at(due.len().min(room));
            for &node in now_due {
                self.begin_or_note(vec![node], now);
            }
            later.iter().for_each(|&node| self.roster.has_ended(node, now));
        }
        if self.roster.is_hopeless() {
            return Err("the agents of all nodes end again and again, or never come".to_owned());
        }
        Ok(())
    }

    /// Buries the steps that have ended, and ends those that were to start nodes which were started anew since.
    fn reap(&mut self, now: Instant) {
        for mut step in std::mem::take(&mut self.steps) {
            if starter::has_ended(&mut step.srun) {
                step.nodes.iter().for_each(|&node| self.roster.has_ended(node, now));
            } else {
                self.steps.push(step);
            }
        }
    }

    /// A step of one node whose agent has not come yet.
    fn is_awaited(&self, step: &Step) -> bool {
        matches!(step.nodes[..], [node] if self.roster.is_awaited(node))
    }

    fn begin_or_note(&mut self, nodes: Vec<usize>, now: Instant) {
        // What has not come by an earlier step of this node alone will not come by it.
        for step in std::mem::take(&mut self.steps) {
            if step.nodes == nodes { starter::end(step.srun) } else { self.steps.push(step) }
        }
        if self.begin(nodes.clone()).is_err() {
            nodes.iter().for_each(|&node| self.roster.has_ended(node, now));
        }
    }

    fn begin(&mut self, nodes: Vec<usize>) -> io::Result<()> {
        let names: Vec<&str> = nodes.iter().map(|&node| self.nodes[node].as_str()).collect();
        let mut srun = Command::new("srun");
        srun.args(OPTIONS).args(["-J", "loky"]).arg(format!("--nodes={}", names.len()));
        srun.arg(format!("--ntasks={}", names.len())).arg(format!("--nodelist={}", names.join(","))).arg(&self.program);
        COUNTS.iter().for_each(|name| _ = srun.env_remove(name));
        // The secret is in the environment, which only this user and root can read: arguments are everybody's.
        srun.env(env::INVITATION, &self.environment).stdin(Stdio::null());
        // Ctrl-C is for the program, which ends its agents when it is done.
        srun.process_group(0);
        self.steps.push(Step { srun: srun.spawn()?, nodes });
        Ok(())
    }

    pub(super) fn said(&self) -> String {
        let count = self.nodes.len();
        let may_end = count > 1 && !self.is_kept;
        let warning = if may_end { "; unless it was asked for with --no-kill, a lost node ends all of it" } else { "" };
        format!("in an allocation of {count}{warning}")
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        self.steps.drain(..).for_each(|step| starter::end(step.srun));
    }
}

/// The file of this program, which has the same name on all nodes.
pub(super) fn program() -> io::Result<String> {
    let path = fs::read_link("/proc/self/exe")?;
    let name = path.to_str().ok_or_else(|| io::Error::other("its name is not text"))?;
    if name.ends_with(" (deleted)") && !path.exists() {
        return Err(io::Error::other("it was deleted or replaced while the program runs"));
    }
    Ok(name.to_owned())
}

/// Whether it is known that the allocation outlives a lost node. Slurm tells nobody; but whoever has set a variable for it has
/// left it there, and a `salloc` that has started us shows its arguments.
fn is_kept(variables: &Variables) -> bool {
    let is_set = ["SLURM_NO_KILL", "SALLOC_NO_KILL", "SBATCH_NO_KILL"].iter().any(|name| variables.has(name));
    is_set || ancestors().iter().any(|arguments| asks_to_be_kept(arguments))
}

/// The arguments of the processes above this one, a few of them.
fn ancestors() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut pid = process::parent_pid();
    while pid > 1 && found.len() < 10 {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        found.push(arguments.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect());
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        pid = parent.unwrap_or(0);
    }
    found
}

fn asks_to_be_kept(arguments: &[String]) -> bool {
    let is_salloc = arguments.first().is_some_and(|program| program.rsplit('/').next() == Some("salloc"));
    is_salloc && arguments.iter().any(|option| option == "--no-kill" || option == "-k")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_salloc_above_us_tells_whether_the_allocation_is_kept() {
        assert!(asks_to_be_kept(&arguments("salloc --no-kill -N4 ./program")));
        assert!(asks_to_be_kept(&arguments("/usr/bin/salloc -N4 -k ./program")));
        assert!(!asks_to_be_kept(&arguments("salloc -N4 ./program")));
        assert!(!asks_to_be_kept(&arguments("bash --no-kill")));
        assert!(is_kept(&Variables::of("SLURM_NO_KILL=set")));
    }

    #[test]
    fn this_program_has_a_file() {
        assert!(fs::metadata(program().unwrap()).unwrap().is_file());
    }
}
