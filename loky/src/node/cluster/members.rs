//! Agents that come and go, as the hub tells.

use std::sync::Arc;

use super::Cluster;
use super::state::{Member, State};
use crate::node::AgentId;
use crate::node::lease::Moment;
use crate::node::message::{Wish, of_pool};
use crate::node::pieces::Lane;
use crate::node::wire::Wire;

impl Cluster {
    /// There is an agent, whose machine has so many processors for us.
    pub(in crate::node) fn joined(&self, wire: &Arc<Wire>, cpus: usize) {
        self.act(|state, now| {
            let mut settings = self.settings.said();
            if settings.workers.is_some() {
                settings.workers = Some(state.workers_each);
            }
            let slots = settings.workers.unwrap_or(cpus).max(1);
            wire.send(Lane::Usual, of_pool(self.id(), &Wish::Open(settings), []));
            state.agents.insert(wire.agent, Member { wire: Arc::clone(wire), is_warming: false, closing: None });
            if !state.warm.is_empty() {
                self.have_warmed(state, wire.agent);
            }
            state.fleet.joined(wire.agent, slots, now);
        });
    }

    /// The agent is to be given nothing more; it may still answer.
    pub(in crate::node) fn closed(&self, agent: AgentId) {
        self.act(|state, now| state.fleet.closed(agent, now));
    }

    /// For certain, the agent does nothing any more.
    pub(in crate::node) fn lost(&self, agent: AgentId) {
        self.act(|state, now| {
            state.fleet.lost(agent, now);
            // What ends with it names its host.
            self.perform(state, now);
            state.agents.remove(&agent);
            self.note_warm(state, now);
        });
    }

    /// The agent has nothing of the pool any more.
    pub(in crate::node) fn left(&self, agent: AgentId) {
        self.lost(agent);
    }

    pub(in crate::node) fn next_timeout(&self) -> Option<Moment> {
        self.state.lock().fleet.next_timeout()
    }

    pub(in crate::node) fn handle_timeout(&self) {
        self.act(|state, now| state.fleet.handle_timeout(now));
    }

    pub(in crate::node) fn is_finished(&self) -> bool {
        self.finished.is_done()
    }

    /// Has all agents end the pool.
    pub(super) fn close_all(&self, state: &mut State, is_forced: bool) {
        let wish = Wish::Close { is_forced };
        for member in
            state.agents.values_mut().filter(|member| member.closing.is_none_or(|forced| is_forced && !forced))
        {
            member.closing = Some(is_forced);
            member.wire.send(Lane::Usual, of_pool(self.id(), &wish, []));
        }
    }

    /// Has an agent start all workers.
    pub(super) fn have_warmed(&self, state: &mut State, agent: AgentId) {
        if let Some(member) = state.agents.get_mut(&agent).filter(|member| !member.is_warming) {
            member.is_warming = true;
            member.wire.send(Lane::Usual, of_pool(self.id(), &Wish::WarmUp, []));
        }
    }

    /// The agent has started all workers, or cannot.
    pub(in crate::node) fn warmed(&self, agent: AgentId) {
        self.act(|state, now| {
            if let Some(member) = state.agents.get_mut(&agent) {
                member.is_warming = false;
            }
            self.note_warm(state, now);
        });
    }

    /// Tells whoever waits for it that all workers are there, if they are: those of all agents that are expected.
    pub(super) fn note_warm(&self, state: &mut State, _now: Moment) {
        let are_there = state.members() >= self.hub.expected().max(1);
        if are_there && state.agents.values().all(|member| !member.is_warming) {
            state.tell_warm();
        }
    }
}
