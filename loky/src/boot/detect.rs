//! What this process is, from its environment alone: a pure function, held to environments that real launchers gave.
//!
//! Launchers nest (`mpirun` within a batch script, a program within a step), and each leaves its variables to whatever it
//! starts. So what the nearest launcher said counts: a rank of PMI or PMIx before a task of a step, a step before the
//! allocation around it. And a variable counts only for what it really says: a batch script has SLURM_PROCID=0 and
//! SLURM_NTASKS=64 though nobody else runs it; only a step has a number, and even of those some are Slurm's own.

use super::variables::Variables;
use super::wish::{self, Submission, Wish};
use crate::env;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A program by itself.
    Alone,
    /// An agent that somebody of ours has started.
    Invited,
    /// One of several processes that were started alike.
    Rank(Rank),
    /// The only process that runs in an allocation, of which more is there to be used.
    Allocation(Allocation),
    /// A program that submits its agents by itself.
    Submitting(Submission),
    /// A program whose agents are started by hand.
    Listening(std::net::SocketAddr),
}

/// One of several processes that were started alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    pub(super) number: u32,
    pub(super) of: u32,
    /// How many of them are on this machine.
    pub(super) share: u32,
    pub(super) way: Way,
}

/// How ranks find each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The launcher speaks PMI-1 on this inherited descriptor.
    Pmi(i32),
    Pmix,
    /// A file that all of them can see, with this name.
    File(String),
}

/// What the batch system has given to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allocation {
    /// How many nodes there are in it.
    pub(super) nodes: u32,
    /// Their names, as Slurm abbreviates them.
    pub(super) list: String,
}

/// Numbers from here on are Slurm's own steps: what runs beside a batch script, that script itself, and the shell of an
/// interactive allocation.
const FIRST_STEP_OF_SLURM: u32 = 0xffff_fff0;

pub(super) fn detect(variables: &Variables) -> Result<Found, String> {
    if variables.has(env::INVITATION) {
        return Ok(Found::Invited);
    }
    match wish::understand(variables.get(env::CLUSTER))? {
        Wish::Off => Ok(Found::Alone),
        Wish::Listen(address) => Ok(Found::Listening(address)),
        Wish::Submit(submission) => Ok(Found::Submitting(submission)),
        Wish::Auto => Ok(launched(variables)),
    }
}

fn launched(variables: &Variables) -> Found {
    let nearest = openmpi(variables).or_else(|| pmi(variables)).or_else(|| step(variables));
    match nearest {
        Some(rank) if rank.of > 1 && rank.number < rank.of => Found::Rank(rank),
        // Started once on purpose, even if there is more in the allocation: as many programs share one that way.
        Some(_) => Found::Alone,
        None => allocation(variables).map_or(Found::Alone, Found::Allocation),
    }
}

/// `mpirun` of Open MPI, which says how many ranks there are by a variable of its own.
fn openmpi(variables: &Variables) -> Option<Rank> {
    let share = variables.number("OMPI_COMM_WORLD_LOCAL_SIZE").unwrap_or(1);
    let (number, of) = (variables.number("PMIX_RANK")?, variables.number("OMPI_COMM_WORLD_SIZE")?);
    Some(Rank { number, of, share, way: Way::Pmix })
}

/// `mpiexec` of MPICH and its kin, and `srun --mpi=pmi2`.
fn pmi(variables: &Variables) -> Option<Rank> {
    let fd = variables.number("PMI_FD")?;
    let (number, of) = (variables.number("PMI_RANK")?, variables.number("PMI_SIZE")?);
    let share = variables.number("MPI_LOCALNRANKS").or_else(|| tasks_here(variables)).unwrap_or(1);
    Some(Rank { number, of, share, way: Way::Pmi(fd) })
}

/// A task of a step, with PMIx if `srun --mpi=pmix` has started it, else with nothing.
fn step(variables: &Variables) -> Option<Rank> {
    let id: u32 = variables.number("SLURM_STEP_ID").filter(|&id| id < FIRST_STEP_OF_SLURM)?;
    let (number, of) = (variables.number("SLURM_PROCID")?, variables.number("SLURM_STEP_NUM_TASKS")?);
    let is_pmix = variables.get("PMIX_NAMESPACE").is_some_and(|space| space.starts_with("slurm."));
    let way = if is_pmix { Way::Pmix } else { Way::File(name(variables, id)?) };
    Some(Rank { number, of, share: tasks_here(variables).unwrap_or(1), way })
}

/// An allocation that is put back into the queue keeps its number and those of its steps: hence the count of restarts.
fn name(variables: &Variables, step: u32) -> Option<String> {
    let allocation: u64 = variables.number("SLURM_JOB_ID")?;
    let restarts: u32 = variables.number("SLURM_RESTART_COUNT").unwrap_or(0);
    let cluster = variables.get("SLURM_CLUSTER_NAME").unwrap_or("cluster");
    let cluster: String = cluster.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    Some(format!("{cluster}.{allocation}.{step}.{restarts}"))
}

/// How many tasks of this step are on this node, from a list such as `2(x3),1`.
fn tasks_here(variables: &Variables) -> Option<u32> {
    let mut node: u32 = variables.number("SLURM_NODEID")?;
    for part in variables.get("SLURM_STEP_TASKS_PER_NODE")?.split(',') {
        let (count, times) = part.split_once("(x").unwrap_or((part, "1)"));
        let times: u32 = times.strip_suffix(')')?.parse().ok()?;
        if node < times {
            return count.parse().ok();
        }
        node -= times;
    }
    None
}

/// `salloc ./program`, or a batch script on the first of several nodes. One that has only the node that it runs on is
/// served by a pool as it is.
fn allocation(variables: &Variables) -> Option<Allocation> {
    variables.number::<u64>("SLURM_JOB_ID")?;
    let nodes: u32 = variables.number("SLURM_JOB_NUM_NODES")?;
    let list = variables.get("SLURM_JOB_NODELIST")?.to_owned();
    let is_on_node = variables.has("SLURMD_NODENAME");
    (nodes > 1 || nodes == 1 && !is_on_node).then_some(Allocation { nodes, list })
}

#[cfg(test)]
mod tests;
