//! Many machines: a pool whose workers are on several of them.
//!
//! On each machine an *agent*, a process of this same program, hosts an ordinary pool (`driver`). The program itself has a
//! *cluster* in the place of a driver for each of its pools, all of which share one *hub*: a thread that listens, and talks
//! with the agents. What travels over a link are orders and outcomes, as they are given to a driver and come from it; so a
//! worker on another machine crashes, is limited and is restarted exactly like one here.
//!
//! | part | is | |
//! |---|---|---|
//! | `fleet` | decides which agent gets which call | pure |
//! | `lease` | how long an agent may believe that it is one | pure |
//! | `pieces` `message` | what the bytes mean | pure |
//! | `tls` `link` | who may speak, and the connection | |
//! | `agent` | the other process | |
//! | `hub` `wire` | the thread that talks with all agents, and the way to one of them | |
//! | `cluster` | what a pool has instead of a driver | |
//!
//! A call runs at one place at a time, whatever is cut: an agent that hears nothing from the driver's side kills all that it
//! has before the driver's side gives the calls to others. What cannot be had: a machine whose agent is stopped from outside
//! (SIGSTOP) while its workers go on. Then a call that has retries may run twice at a time, until the agent goes on.

mod agent;
mod cluster;
mod fleet;
mod hub;
mod lease;
mod link;
mod message;
mod pieces;
mod tls;
mod wire;

use std::fmt;

pub(crate) use self::agent::serve;
pub(crate) use self::cluster::Cluster;
pub(crate) use self::hub::{begin, hub};

/// One agent, from its welcome to its loss. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct AgentId(u64);

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
