//! One turn of the hub after the other: hear what has come, say what is to be said, and see whose time is over.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::guests::{Guests, Visit};
use super::members::{Gone, Members};
use super::starts::Starts;
use super::{Hub, LISTENER};
use crate::boot::Starter;
use crate::node::AgentId;
use crate::node::cluster::Cluster;
use crate::node::lease::{Moment, Rhythm};
use crate::node::message::{Hello, PoolId};
use crate::sys::clock;
use crate::task::build;

/// See the module.
#[derive(Debug)]
pub(super) struct Turn {
    hub: Arc<Hub>,
    listener: TcpListener,
    config: Arc<ServerConfig>,
    guests: Guests,
    members: Members,
    pools: HashMap<PoolId, Arc<Cluster>>,
    /// The number of whoever connects next: as a guest, and as an agent.
    next: u64,
    /// Where bytes are read.
    buffer: Vec<u8>,
    /// When to look next whose time is over.
    look_at: Moment,
    starts: Starts,
}

/// How often it is looked whose time is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long to wait where the system has no room for one more connection.
const NO_ROOM: Duration = Duration::from_millis(10);

impl Turn {
    pub(super) fn new(hub: Arc<Hub>, listener: TcpListener, config: Arc<ServerConfig>, starter: Starter) -> Self {
        let members = Members::new(Arc::clone(&hub.desk));
        let starts = Starts::new(starter, hub.expected(), clock::since_boot());
        Self {
            hub,
            listener,
            config,
            guests: Guests::default(),
            members,
            pools: HashMap::new(),
            next: 1,
            buffer: Vec::new(),
            look_at: Moment::ZERO,
            starts,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let ready = match self.hub.desk.poller.wait(self.until()) {
                Ok(ready) => ready,
                Err(why) => {
                    eprintln!("loky: the agents of this program cannot be heard any more: {why}");
                    return self.end();
                }
            };
            self.hub.desk.awake();
            if self.hub.parting.is_asked() {
                return self.part();
            }
            ready.into_iter().for_each(|token| self.hear(token));
            let dirty = self.hub.desk.take_dirty();
            // From here on, whoever brings something new rings.
            self.take_in_pools();
            for agent in dirty {
                self.members.write(agent).into_iter().for_each(|gone| self.gone(agent, gone));
            }
            self.keep_time();
        }
    }

    /// Until when nothing is to be done.
    fn until(&self) -> Option<Instant> {
        let of_pools = self.pools.values().filter_map(|pool| pool.next_timeout());
        let looks = (!self.members.is_empty() || !self.guests.is_empty()).then_some(self.look_at);
        let at = of_pools.chain(looks).chain([self.starts.next_at()]).min()?;
        Some(Instant::now() + at.saturating_sub(clock::since_boot()))
    }

    fn take_in_pools(&mut self) {
        let new = std::mem::take(&mut *self.hub.new.lock());
        for pool in new {
            self.members.open().for_each(|(wire, cpus)| pool.joined(wire, cpus));
            self.pools.insert(pool.id(), pool);
        }
    }

    fn hear(&mut self, token: u64) {
        if token == LISTENER {
            return self.accept();
        }
        let agent = AgentId(token);
        if self.members.has(agent) {
            let heard = self.members.hear(agent, &mut self.buffer);
            for (pool, answers) in heard.answers {
                // A pool that has finished is answered in vain.
                if let Some(pool) = self.pools.get(&pool) {
                    pool.heard(agent, answers);
                }
            }
            if heard.is_draining {
                self.pools.values().for_each(|pool| pool.closed(agent));
            }
            return heard.gone.into_iter().for_each(|gone| self.gone(agent, gone));
        }
        match self.guests.hear(token, &mut self.buffer) {
            Visit::GoesOn => {}
            Visit::Over => self.guests.leave(token),
            Visit::Hello(hello) => self.welcome(token, hello),
        }
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => {
                    let token = self.next;
                    self.next += 1;
                    // One that cannot be taken in is closed, and may try again.
                    let _ = self.guests.enter(token, socket, &self.config, &self.hub.desk.poller);
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                // Whoever has gone meanwhile is an error, too; where there is no room, the others come first.
                Err(_) => return thread::sleep(NO_ROOM),
            }
        }
    }

    /// A guest says that it wants to be an agent.
    fn welcome(&mut self, token: u64, hello: Result<Hello, String>) {
        let checked = hello.and_then(|hello| match build().map_err(|why| why.to_string())?.check(hello.build) {
            Ok(()) => Ok(hello),
            Err(why) => Err(format!("the agent on {} (pid {}) {why}", hello.host, hello.pid)),
        });
        match checked {
            Ok(hello) if self.starts.is_taken(hello.node, &self.members.here()) => {
                self.guests.refuse(token, format!("another agent has its place, number {}", hello.node));
            }
            Ok(hello) => {
                let Some(link) = self.guests.take(token) else { return };
                let rhythm = Rhythm::of(self.hub.expected().max(self.members.len() + 1));
                let (wire, cpus) = self.members.enter(AgentId(token), link, hello, rhythm);
                self.pools.values().for_each(|pool| pool.joined(&wire, cpus));
                self.starts.notice();
            }
            Err(why) => {
                eprintln!("loky: an agent was refused: {why}");
                self.guests.refuse(token, why);
            }
        }
    }

    /// An agent is silent, or has left.
    fn gone(&mut self, agent: AgentId, gone: Gone) {
        self.starts.notice();
        let tell = match gone {
            Gone::Silent => Cluster::closed,
            Gone::Left => Cluster::lost,
        };
        self.pools.values().for_each(|pool| tell(pool, agent));
    }

    /// Sees whose time is over.
    fn keep_time(&mut self) {
        let now = clock::since_boot();
        if self.look_at <= now {
            self.look_at = now + LOOK_EVERY;
            self.guests.keep_time(now);
            self.members.forget(&self.hub.desk.take_gone());
            for (agent, host) in self.members.take_dead(now) {
                eprintln!("loky: nothing is heard any more of the agent on {host}");
                self.gone(agent, Gone::Left);
            }
        }
        self.starts.keep_time(now, || self.members.here());
        let is_due = |pool: &&Arc<Cluster>| pool.next_timeout().is_some_and(|at| at <= now);
        self.pools.values().filter(is_due).for_each(|pool| pool.handle_timeout());
        self.pools.retain(|_, pool| !pool.is_finished());
    }

    /// The program ends.
    fn part(self) {
        let Self { hub, mut members, starts, .. } = self;
        members.dismiss();
        drop(starts);
        hub.parting.part();
    }

    /// Nobody can be heard any more.
    fn end(mut self) {
        for agent in self.members.take_all() {
            self.gone(agent, Gone::Left);
        }
    }
}
