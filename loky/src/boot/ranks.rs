//! Mode A: many processes that were started alike. Rank 0 is the driver, and gives the others its words by what the launcher
//! offers; so that its own machine works, too, it starts an agent there as a child.

use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::detect::{Rank, Way};
use super::file::{Place, Published};
use super::invitation::{self, Invitation, REACH_MAX, Standing};
use super::roster::Roster;
use super::starter;
use super::variables::Variables;
use super::{RENDEZVOUS_MAX, pmi, pmix};
use crate::env;
use crate::sys::entry;

/// What rank 0 looks after.
#[derive(Debug)]
pub(super) struct Ranks {
    of: u32,
    environment: String,
    agent: Option<Child>,
    roster: Roster,
    /// Until all have come: who comes back knows the way.
    published: Option<Published>,
}

/// What rank 0 tells a rank that is to be an agent.
pub(super) fn invited(rank: &Rank, variables: &Variables, until: Instant) -> Result<Invitation, String> {
    let (words, file) = match &rank.way {
        Way::File(name) => {
            let place = Place::new(variables, name)?;
            (place.read(until)?, Some(place))
        }
        way => (exchange(way, None, until).map_err(|why| stranded(rank, &why))?, None),
    };
    let (addresses, secret) = invitation::understand(&words)?;
    Ok(Invitation { addresses, secret, node: rank.number, share: rank.share, until: Some(REACH_MAX), file })
}

fn stranded(rank: &Rank, why: &io::Error) -> String {
    format!("rank {} of {} has no word of rank 0, its driver: {why}", rank.number, rank.of)
}

fn exchange(way: &Way, mine: Option<&str>, until: Instant) -> io::Result<String> {
    match way {
        Way::Pmi(number) => pmi::exchange(entry::take_launcher_link(*number)?, mine, until),
        Way::Pmix => pmix::exchange(mine, until),
        Way::File(_) => unreachable!("a file is read and written where its place is known"),
    }
}

impl Ranks {
    pub(super) fn start(
        rank: &Rank,
        variables: &Variables,
        bound: &[SocketAddr],
        sealed: &str,
    ) -> Result<Self, String> {
        let words = invitation::words(bound, sealed);
        let published = match &rank.way {
            Way::File(name) => {
                let place = Place::new(variables, name)?;
                let published = place.publish(&words);
                Some(published.map_err(|why| format!("the other ranks cannot be told where their driver is: {why}"))?)
            }
            way => {
                let told = exchange(way, Some(&words), Instant::now() + RENDEZVOUS_MAX);
                told.map_err(|why| format!("the other {} ranks have no word of their driver: {why}", rank.of - 1))?;
                None
            }
        };
        let environment = Standing::Only(rank.number, rank.share).environment(&words);
        let agent =
            own_agent(&environment).map_err(|why| format!("the agent of this machine cannot be started: {why}"))?;
        let roster = Roster::new(1, Instant::now());
        Ok(Self { of: rank.of, environment, agent: Some(agent), roster, published })
    }

    /// Starts the agent of this machine again if it was lost. The others are the launcher's.
    pub(super) fn tend(&mut self, here: &[u32], now: Instant) -> Result<(), String> {
        if here.len() >= self.of as usize {
            self.published = None;
        }
        if self.agent.as_mut().is_some_and(starter::has_ended) {
            self.agent = None;
            self.roster.has_ended(0, now);
        }
        if !self.roster.look(here, now).is_empty() {
            self.end_agent();
            self.agent = own_agent(&self.environment).ok();
        }
        if self.roster.is_hopeless() && here.is_empty() {
            return Err("the agent of the driver's own machine ends again and again, and no other one is there".into());
        }
        Ok(())
    }

    fn end_agent(&mut self) {
        if let Some(agent) = self.agent.take() {
            starter::end(agent);
        }
    }

    pub(super) fn said(&self) -> String {
        format!("rank 0 of {}", self.of)
    }
}

fn own_agent(environment: &str) -> io::Result<Child> {
    Command::new("/proc/self/exe").env(env::INVITATION, environment).stdin(Stdio::null()).spawn()
}

impl Drop for Ranks {
    fn drop(&mut self) {
        self.end_agent();
    }
}
