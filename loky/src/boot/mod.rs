//! How a program that is started on many machines finds out what it is, and how its agents find their driver.
//!
//! Nothing here listens, connects or speaks TLS: that is for those who use it.

mod by_hand;
mod secret;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use self::secret::Secret;

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
    pub(crate) code: i32,
}

/// How an agent reaches its driver.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    /// Where the driver listens, in the order in which to try.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) secret: Secret,
    /// Its number among the agents of this program.
    pub(crate) node: u32,
    /// How long it may try.
    pub(crate) until: Option<Duration>,
}

/// What the driver is to do: to listen, and then to have agents started, or its address published.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How many agents will come, if that is known.
    pub(crate) expected: Option<u32>,
    /// Where to listen, if the user has said so.
    pub(crate) listen: Option<SocketAddr>,
    secret: Secret,
}

/// Looks after what was started for a plan; ended with the program.
#[derive(Debug)]
pub(crate) struct Starter(());

/// The code with which a program ends that cannot begin.
const CANNOT_BEGIN: i32 = 1;

/// Finds out what this process is. To be called at the very start of `main`, by a process that is no worker: it changes the
/// environment, so that what this process starts does not take itself for what this one is.
pub(crate) fn role() -> Result<Role, Refusal> {
    by_hand::role().map_err(|why| Refusal { why, code: CANNOT_BEGIN })
}

impl Plan {
    /// What only this program and its agents know.
    pub(crate) fn secret(&self) -> io::Result<Secret> {
        Ok(self.secret.clone())
    }

    /// Says to whom it may concern that the driver listens at `bound`, and has agents started where they do not come by
    /// themselves.
    pub(crate) fn announce(self, _bound: &[SocketAddr], _secret: &Secret) -> io::Result<Starter> {
        Ok(Starter(()))
    }
}
