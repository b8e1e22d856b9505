//! The agents: their links, what they say, and how long they are believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::node::AgentId;
use crate::node::lease::{Moment, Rhythm, Watch};
use crate::node::link::{Link, Stays};
use crate::node::message::{Answer, Hello, PoolId, Sign, Word, heard_of_pool, heard_short, short};
use crate::node::pieces::{KNOWN, Lane};
use crate::node::wire::{Desk, Wire};
use crate::sys::clock;
use crate::sys::poll::Interest;

/// See the module.
#[derive(Debug)]
pub(super) struct Members {
    desk: Arc<Desk>,
    all: BTreeMap<AgentId, Member>,
}

#[derive(Debug)]
struct Member {
    /// Until it has ended.
    link: Option<Link>,
    wire: Arc<Wire>,
    /// Its number among the agents.
    node: u32,
    cpus: usize,
    watch: Watch,
    /// Whether it has said that it has nothing any more.
    has_left: bool,
    /// Whether it has said that it will leave.
    is_draining: bool,
    /// Whether there is more to be written than its socket has room for.
    is_stuck: bool,
}

/// What an agent has said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) answers: BTreeMap<PoolId, Vec<(Answer, Vec<u8>)>>,
    pub(super) is_draining: bool,
    pub(super) gone: Option<Gone>,
}

/// How an agent is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// Its link has ended, and what it does is not known.
    Silent,
    /// It does nothing any more.
    Left,
}

impl Members {
    pub(super) const fn new(desk: Arc<Desk>) -> Self {
        Self { desk, all: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn has(&self, agent: AgentId) -> bool {
        self.all.contains_key(&agent)
    }

    /// Those that can be given something, with how many processors they have for us.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Arc<Wire>, usize)> {
        self.all
            .values()
            .filter(|member| member.link.is_some() && !member.is_draining)
            .map(|member| (&member.wire, member.cpus))
    }

    /// The same, by their numbers.
    pub(super) fn here(&self) -> Vec<(u32, usize)> {
        let open = self.all.values().filter(|member| member.link.is_some());
        open.map(|member| (member.node, member.cpus)).collect()
    }

    /// The program ends, and nobody is needed any more. What there is no room for is told by the end of the link.
    pub(super) fn dismiss(&mut self) {
        for agent in self.all.keys().copied().collect::<Vec<_>>() {
            if let Some(member) = self.all.get(&agent) {
                member.wire.send(Lane::Urgent, short(&Word::End));
            }
            let _ = self.write(agent);
        }
        self.all.clear();
    }

    /// There is one more, whose link is waited for under its number.
    pub(super) fn enter(&mut self, agent: AgentId, link: Link, hello: Hello, rhythm: Rhythm) -> (Arc<Wire>, usize) {
        let wire = Arc::new(Wire::new(agent, hello.host, Arc::clone(&self.desk)));
        wire.send(Lane::Urgent, short(&Word::Welcome(rhythm)));
        let watch = Watch::begin(rhythm, clock::since_boot());
        let (link, node, cpus) = (Some(link), hello.node, hello.cpus.max(1));
        let (has_left, is_draining, is_stuck) = (false, false, false);
        let member = Member { link, wire: Arc::clone(&wire), node, cpus, watch, has_left, is_draining, is_stuck };
        self.all.insert(agent, member);
        (wire, cpus)
    }

    /// Takes in what an agent has said, and writes on if its socket has room again.
    pub(super) fn hear(&mut self, agent: AgentId, buffer: &mut Vec<u8>) -> Heard {
        let mut heard = self.all.get_mut(&agent).map(|member| member.hear(buffer)).unwrap_or_default();
        if heard.gone.is_none() && self.all.get(&agent).is_some_and(|member| member.is_stuck) {
            heard.gone = self.write(agent);
        }
        heard.gone = heard.gone.map(|_| self.close(agent));
        heard
    }

    /// Writes what there is for an agent. Returns whether its link has ended.
    pub(super) fn write(&mut self, agent: AgentId) -> Option<Gone> {
        let member = self.all.get_mut(&agent)?;
        let link = member.link.as_mut()?;
        member.wire.clean();
        let written = link.write(|to| member.wire.fill(to));
        let is_stuck = matches!(written, Ok(false));
        let interest = if is_stuck { Interest::ReadAndWrite } else { Interest::Read };
        let changed = match is_stuck == member.is_stuck {
            true => Ok(()),
            false => self.desk.poller.change(&*link, agent.0, interest),
        };
        member.is_stuck = is_stuck;
        (written.is_err() || changed.is_err()).then(|| self.close(agent))
    }

    /// Nobody holds this memory any more.
    pub(super) fn forget(&self, numbers: &[u64]) {
        if !numbers.is_empty() {
            self.all.values().for_each(|member| member.wire.forget(numbers));
        }
    }

    /// The link has ended, or its words are not to be believed.
    fn close(&mut self, agent: AgentId) -> Gone {
        let Some(member) = self.all.get_mut(&agent) else { return Gone::Left };
        member.link = None;
        if member.has_left {
            self.all.remove(&agent);
            return Gone::Left;
        }
        Gone::Silent
    }

    /// Takes out those whose leases are over for certain, with the names of their machines.
    pub(super) fn take_dead(&mut self, now: Moment) -> Vec<(AgentId, String)> {
        let is_dead = |(_, member): &(&AgentId, &Member)| member.watch.dead_at() <= now;
        let dead: Vec<_> = self.all.iter().filter(is_dead).map(|(agent, _)| *agent).collect();
        dead.into_iter().filter_map(|agent| Some((agent, self.all.remove(&agent)?.wire.host.clone()))).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<AgentId> {
        std::mem::take(&mut self.all).into_keys().collect()
    }
}

impl Member {
    fn hear(&mut self, buffer: &mut Vec<u8>) -> Heard {
        let mut heard = Heard::default();
        let Some(link) = &mut self.link else { return heard };
        let (wire, watch, has_left, is_draining) =
            (&self.wire, &mut self.watch, &mut self.has_left, &mut self.is_draining);
        let mut is_understood = true;
        let read = link.read(KNOWN, buffer, |lane, bytes| {
            is_understood = match lane {
                Lane::Urgent => heard_short(&bytes).map(|sign| match sign {
                    Sign::Beat(beat) => {
                        watch.heard(clock::since_boot());
                        wire.send(Lane::Urgent, short(&Word::Echo(beat)));
                    }
                    Sign::Draining => (heard.is_draining, *is_draining) = (true, true),
                    Sign::Left => *has_left = true,
                }),
                Lane::Usual => heard_of_pool(&bytes).map(|(pool, answer, follow)| {
                    heard.answers.entry(pool).or_default().push((answer, follow.to_vec()));
                }),
            }
            .is_some();
            is_understood
        });
        if !is_understood || !matches!(read, Ok(Stays::Open)) {
            heard.gone = Some(Gone::Silent);
        }
        heard
    }
}
