//! The thread that listens, and talks with all agents; one for the whole program, from its start to its end.
//!
//! It owns all links. What it hears it tells to the clusters, and what they put on wires it sends. Whoever connects is a
//! *guest* until it has shown that it has the secret and has said hello: guests are few, may say little, and have little
//! time. An agent is believed as long as its beats come; what has become of one whose link has ended is not known until its
//! lease is over, unless it has said that it has left.

mod guests;
mod members;
mod starts;
mod turn;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use self::starts::Parting;
use self::turn::Turn;
use super::cluster::Cluster;
use super::message::PoolId;
use super::tls;
use super::wire::Desk;
use crate::boot::Plan;
use crate::sync::Mutex;
use crate::sys::at_exit::at_exit;
use crate::sys::interfaces;
use crate::sys::poll::{Interest, Poller};

/// What the threads of the program have of it.
#[derive(Debug)]
pub(crate) struct Hub {
    desk: Arc<Desk>,
    /// How many agents will come, if that is known.
    expected: usize,
    /// Clusters that the thread has not seen yet.
    new: Mutex<Vec<Arc<Cluster>>>,
    pools: AtomicU32,
    parting: Parting,
}

/// The token of the listener; agents and guests have smaller ones.
const LISTENER: u64 = 1 << 62;

/// How long calls wait while there is no agent at all.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the end of the program waits for that of its agents.
const LAST_MOMENT: Duration = Duration::from_secs(3);

static HUB: OnceLock<Arc<Hub>> = OnceLock::new();

/// That of this program, if its workers are on many machines.
pub(crate) fn hub() -> Option<&'static Arc<Hub>> {
    HUB.get()
}

/// Begins to listen for agents. To be called at the very start of `main`, once.
pub(crate) fn begin(plan: Plan) -> io::Result<()> {
    let secret = plan.secret()?;
    let listener = listen(plan.listen)?;
    listener.set_nonblocking(true)?;
    let (expected, bound) = (plan.expected.unwrap_or(0), addresses(listener.local_addr()?)?);
    let config = tls::server(&secret)?;
    let starter = plan.announce(&bound, &secret)?;
    let poller = Poller::new()?;
    poller.add(&listener, LISTENER, Interest::Read)?;
    let hub = Arc::new(Hub {
        desk: Arc::new(Desk::new(poller)),
        expected: expected as usize,
        new: Mutex::default(),
        pools: AtomicU32::new(0),
        parting: Parting::default(),
    });
    let turn = Turn::new(Arc::clone(&hub), listener, config, starter);
    thread::Builder::new().name("loky-hub".into()).spawn(move || turn.run())?;
    at_exit(end_of_program);
    HUB.set(hub).map_err(|_| io::Error::other("the program has begun to listen already"))
}

/// Says farewell to the agents, and waits until what has started them has ended: nothing of the program outlives it.
fn end_of_program() {
    if let Some(hub) = hub() {
        hub.parting.ask();
        hub.ring();
        hub.parting.wait(LAST_MOMENT);
    }
}

/// Where the user says, or anywhere, by both protocols where there are both.
fn listen(wanted: Option<SocketAddr>) -> io::Result<TcpListener> {
    match wanted {
        Some(address) => {
            TcpListener::bind(address).map_err(|why| io::Error::other(format!("it cannot listen at {address}: {why}")))
        }
        None => {
            TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)))
        }
    }
}

/// Under which addresses others may reach what listens at `bound`.
fn addresses(bound: SocketAddr) -> io::Result<Vec<SocketAddr>> {
    if !bound.ip().is_unspecified() {
        return Ok(vec![bound]);
    }
    let all = interfaces::addresses()?.into_iter();
    Ok(all.filter(|ip| ip.is_ipv4() || bound.is_ipv6()).map(|ip| SocketAddr::new(ip, bound.port())).collect())
}

impl Hub {
    pub(super) fn next_pool(&self) -> PoolId {
        self.pools.fetch_add(1, Ordering::Relaxed)
    }

    /// There is one more cluster.
    pub(super) fn enter(&self, cluster: Arc<Cluster>) {
        self.new.lock().push(cluster);
        self.ring();
    }

    /// Has the thread look at what there is.
    pub(super) fn ring(&self) {
        self.desk.ring();
    }

    pub(super) const fn patience(&self) -> Duration {
        PATIENCE
    }

    /// How many agents will come at least, as far as is known; those that have come are among them.
    pub(super) fn expected(&self) -> usize {
        self.expected
    }
}
