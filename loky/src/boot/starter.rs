//! What a driver has started, or published, so that agents come: looked after while the program runs, and ended with it.

use std::net::SocketAddr;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use super::Launch;
use super::allocation::Agents;
use super::ranks::Ranks;
use super::seal::seal;
use super::secret::Secret;
use super::submission::Submitted;
use super::variables::Variables;

/// See the module.
#[derive(Debug)]
pub(crate) struct Starter {
    kind: Kind,
    /// Why the secret travels as it is, if it does.
    bare: Option<String>,
}

#[derive(Debug)]
enum Kind {
    Ranks(Ranks),
    Allocation(Agents),
    Submission(Submitted),
    ByHand,
}

/// How long agents may take to end by themselves when their driver has closed its links.
const END_MAX: Duration = Duration::from_secs(2);

impl Starter {
    pub(super) fn start(
        launch: Launch,
        variables: &Variables,
        bound: &[SocketAddr],
        secret: &Secret,
    ) -> Result<Self, String> {
        if let Launch::ByHand(..) = launch {
            return Ok(Self { kind: Kind::ByHand, bare: None });
        }
        let sealed = seal(secret);
        let kind = match launch {
            Launch::Ranks(rank) => Kind::Ranks(Ranks::start(&rank, variables, bound, &sealed.text)?),
            Launch::Allocation(allocation) => {
                Kind::Allocation(Agents::start(&allocation, variables, bound, &sealed.text)?)
            }
            Launch::Submission(submission) => Kind::Submission(Submitted::start(submission, bound, &sealed.text)?),
            Launch::ByHand(..) => Kind::ByHand,
        };
        Ok(Self { kind, bare: sealed.bare })
    }

    /// Starts agents again that were lost, within bounds. To be called about twice a second, and when an agent has come or
    /// gone; `here` are the numbers of those that are there.
    ///
    /// # Errors
    ///
    /// If no agent is there and none will come; the text says why.
    pub(crate) fn tend(&mut self, here: &[u32], now: Instant) -> Result<(), String> {
        match &mut self.kind {
            Kind::Ranks(ranks) => ranks.tend(here, now),
            Kind::Allocation(agents) => agents.tend(here, now),
            Kind::Submission(submitted) => submitted.tend(here, now),
            Kind::ByHand => Ok(()),
        }
    }

    /// Whether each agent has a number of its own, so that of two with the same one, the second is not needed: one that was
    /// cut off has come back, and so has the one in its place.
    pub(crate) fn numbers_agents(&self) -> bool {
        !matches!(self.kind, Kind::ByHand)
    }

    /// The one line that a program says at its start: where it runs, what it has, and what may surprise.
    pub(crate) fn headline(&self, nodes: usize, slots: usize) -> String {
        let mode = match &self.kind {
            Kind::Ranks(ranks) => ranks.said(),
            Kind::Allocation(agents) => agents.said(),
            Kind::Submission(submitted) => submitted.said(),
            Kind::ByHand => "agents that were started by hand".to_owned(),
        };
        let bare = self.bare.as_ref().map(|why| format!("; the secret goes unsealed through the launcher: {why}"));
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (of_nodes, of_slots) = (plural(nodes), plural(slots));
        format!("loky: {nodes} node{of_nodes}, {slots} slot{of_slots}; {mode}{}", bare.unwrap_or_default())
    }
}

/// Whether a child of ours has ended; then it is buried.
pub(super) fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Waits for a child that ends by itself when its driver goes, and kills it if it does not.
pub(super) fn end(mut child: Child) {
    let until = Instant::now() + END_MAX;
    while !has_ended(&mut child) {
        if Instant::now() >= until {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
