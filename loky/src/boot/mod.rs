//! How a program that a launcher has started finds out what it is, and how its agents find their driver.
//!
//! One source, started in any of many ways: by itself, by `srun` or `mpirun` as one of many, or in an allocation of a batch
//! system, of which it is to use the rest. `detect` decides from the environment alone. Then a driver *announces* where it
//! listens, and an agent is *invited*: both are the same few words, its addresses and a secret, that travel by whatever
//! the launcher offers. Nothing here listens, connects or speaks TLS: that is for those who use it.
//!
//! | mode | started as | how the words travel |
//! |---|---|---|
//! | A | `srun ./program`, `mpirun ./program`: rank 0 drives, the others are agents | PMI-1, PMIx, or a file in `$HOME` |
//! | B | `./program` in `salloc` or `sbatch` | the environment of the `srun` that the driver starts |
//! | C | `LOKY_CLUSTER=slurm:… ./program` | the environment of the `sbatch` that the driver starts |
//!
//! Every wait has a limit here, and whatever was started by a driver is ended with its `Starter`.

mod allocation;
mod by_hand;
mod detect;
mod file;
mod hostlist;
mod invitation;
mod pmi;
mod pmix;
mod ranks;
mod roster;
mod seal;
mod secret;
mod starter;
mod submission;
mod variables;
mod wish;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::detect::{Found, Rank};
pub(crate) use self::invitation::Invitation;
pub(crate) use self::secret::Secret;
pub(crate) use self::starter::Starter;
use self::variables::Variables;
use self::wish::Submission;
use crate::env;
use crate::sys::{entry, process};

/// What this process is, found out once at startup, before anything else runs.
#[derive(Debug)]
pub(crate) enum Role {
    /// A program by itself, with workers on this machine.
    Alone,
    /// The program of the user, whose workers are on other machines, too.
    Driver(Plan),
    /// A host of workers, for a driver elsewhere.
    Agent(Invitation),
}

/// Why this process cannot be what it was started as: to be printed, before it ends with this code.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    /// Zero for an agent: the code of a step is the highest of all its tasks, and is to be that of the program.
    pub(crate) code: i32,
}

/// What the driver is to do: to listen, and then to have agents started, or its address published.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How many agents will come at least, if that is known.
    pub(crate) expected: Option<u32>,
    /// Where to listen, if the user has said so.
    pub(crate) listen: Option<SocketAddr>,
    launch: Launch,
}

#[derive(Debug)]
enum Launch {
    /// Rank 0 of several: the others come by themselves.
    Ranks(Rank),
    Allocation(detect::Allocation),
    Submission(Submission),
    ByHand(Secret),
}

/// How long ranks wait for each other: the slowest of them may still be loading the program from a busy file system.
const RENDEZVOUS_MAX: Duration = Duration::from_secs(60);

/// The code with which a program ends that cannot begin.
const CANNOT_BEGIN: i32 = 1;

/// Finds out what this process is. To be called at the very start of `main`, by a process that is no worker: it changes the
/// environment, so that what this process starts does not take itself for what this one is.
///
/// # Blocking
///
/// A rank that is to be an agent waits here for its driver's announcement, for a minute at most.
pub(crate) fn role() -> Result<Role, Refusal> {
    let variables = Variables::of_this_process();
    if variables.has(env::ERRAND) {
        pmix::run_errand();
    }
    let for_driver = |why| Refusal { why, code: CANNOT_BEGIN };
    let for_agent = |why| Refusal { why, code: 0 };
    if let Some(addresses) = variables.get(env::AGENT) {
        // Whoever has started it by hand reads its code.
        let invitation = by_hand::invitation(addresses).map_err(for_driver)?;
        scrub(&variables);
        return Ok(Role::Agent(invitation));
    }
    match detect::detect(&variables).map_err(for_driver)? {
        Found::Alone => Ok(Role::Alone),
        Found::Invited => {
            let invitation = Invitation::from_environment(&variables).map_err(for_agent)?;
            scrub(&variables);
            divide(&variables, &invitation);
            Ok(Role::Agent(invitation))
        }
        Found::Rank(rank) if rank.number > 0 => {
            let until = Instant::now() + RENDEZVOUS_MAX;
            let invitation = ranks::invited(&rank, &variables, until);
            scrub(&variables);
            let invitation = invitation.map_err(for_agent)?;
            divide(&variables, &invitation);
            Ok(Role::Agent(invitation))
        }
        Found::Rank(rank) => Ok(plan(Some(rank.of), Launch::Ranks(rank))),
        Found::Allocation(allocation) => Ok(plan(Some(allocation.nodes), Launch::Allocation(allocation))),
        Found::Submitting(submission) => Ok(plan(Some(*submission.agents.start()), Launch::Submission(submission))),
        Found::Listening(address) => {
            let secret = by_hand::secret().map_err(for_driver)?;
            Ok(Role::Driver(Plan { expected: None, listen: Some(address), launch: Launch::ByHand(secret) }))
        }
    }
}

fn plan(expected: Option<u32>, launch: Launch) -> Role {
    Role::Driver(Plan { expected, listen: None, launch })
}

impl Plan {
    /// What only this program and its agents are to know.
    pub(crate) fn secret(&self) -> io::Result<Secret> {
        if let Launch::ByHand(secret) = &self.launch { Ok(secret.clone()) } else { Secret::new() }
    }

    /// Says to whom it may concern that the driver listens at `bound`, and has agents started where they do not come by
    /// themselves. To be called at the start of `main`, as [`role`] was: it changes the environment, too.
    ///
    /// # Blocking
    ///
    /// Rank 0 of several waits until all of them have been told, for a minute at most.
    ///
    /// # Errors
    ///
    /// If no agent can ever come; the text says why, and what to do.
    pub(crate) fn announce(self, bound: &[SocketAddr], secret: &Secret) -> io::Result<Starter> {
        let variables = Variables::of_this_process();
        let starter = Starter::start(self.launch, &variables, bound, secret);
        scrub(&variables);
        starter.map_err(io::Error::other)
    }
}

/// Agents that share a machine divide its processors, unless each is bound to fewer of its own.
fn divide(variables: &Variables, invitation: &Invitation) {
    let of_slurm = variables.number("SLURM_CPUS_ON_NODE");
    let all = of_slurm.or_else(process::online_cpus);
    let Some(all) = all.filter(|_| invitation.share > 1) else { return };
    let part = all.div_ceil(invitation.share as usize).min(env::max_cpu_count().unwrap_or(usize::MAX));
    let set = entry::set_variable(env::MAX_CPU_COUNT.as_ref(), Some(part.to_string().as_ref()));
    debug_assert!(set.is_ok(), "its name and its value are good");
}

/// What this process starts is another program, or this one again: it must not speak with the launcher under our name, nor
/// take the cluster for its own.
fn scrub(variables: &Variables) {
    let ours = [env::INVITATION, env::AGENT, env::CLUSTER_SECRET, env::CLUSTER_SECRET_FILE];
    let is_launchers = |name: &str| ["PMI_", "PMIX_", "HYDI_"].iter().any(|prefix| name.starts_with(prefix));
    variables.names().filter(|name| is_launchers(name) || ours.contains(name)).for_each(entry::remove_variable);
    let off = entry::set_variable(env::CLUSTER.as_ref(), Some("off".as_ref()));
    debug_assert!(off.is_ok(), "its name and its value are good");
}
