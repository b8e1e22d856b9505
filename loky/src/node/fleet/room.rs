//! Agents that come, change and go, what can be had back from them, and how the fleet stands.

use super::{Action, Agent, Closing, Fleet};
use crate::ids::CallId;
use crate::node::AgentId;
use crate::node::lease::Moment;

/// Sums over all agents.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Of those that may be given anything.
    agents: usize,
    slots: usize,
    /// Of all: calls that no worker can have begun.
    ahead: usize,
}

impl Totals {
    fn add(&mut self, agent: &Agent) {
        self.ahead += agent.ahead().len();
        if agent.is_open() {
            self.agents += 1;
            self.slots += agent.slots();
        }
    }

    fn take_away(&mut self, agent: &Agent) {
        self.ahead -= agent.ahead().len();
        if agent.is_open() {
            self.agents -= 1;
            self.slots -= agent.slots();
        }
    }
}

/// An agent that has not answered for so long may be at a long call: what lies ready there may be wanted elsewhere.
const QUIET: Moment = Moment::from_millis(50);

impl Fleet {
    pub(in crate::node) fn joined(&mut self, agent: AgentId, slots: usize, now: Moment) {
        let new = Agent::new(slots, now);
        self.totals.add(&new);
        self.agents.insert(agent, new);
        self.deserted_at = None;
        self.change(agent, |_| {});
        self.dispatch(now);
    }

    /// The agent has so many workers from now on.
    pub(in crate::node) fn resized(&mut self, agent: AgentId, slots: usize, now: Moment) {
        self.change(agent, |agent| agent.resize(slots));
        self.dispatch(now);
    }

    /// The agent is given nothing more: it has said that it will leave, or its link has ended and nobody knows whether it
    /// lives.
    pub(in crate::node) fn closed(&mut self, agent: AgentId, now: Moment) {
        self.change(agent, Agent::close);
        self.note_desertion(now);
    }

    /// For certain, the agent does nothing any more.
    pub(in crate::node) fn lost(&mut self, agent: AgentId, now: Moment) {
        self.change(agent, Agent::close);
        let Some(gone) = self.agents.remove(&agent) else { return };
        self.totals.take_away(&gone);
        gone.into_held().for_each(|call| self.reconsider(call, Some(agent), now));
        self.note_desertion(now);
        self.dispatch(now);
    }

    fn note_desertion(&mut self, now: Moment) {
        if self.totals.agents == 0 {
            self.deserted_at.get_or_insert(now);
        }
    }

    /// Changes what is known of an agent, where it stands among those that may be given more, and what is counted.
    pub(super) fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut Agent)) {
        let Some(found) = self.agents.get_mut(&agent) else { return };
        self.totals.take_away(found);
        if let Some(load) = found.load() {
            self.ready.remove(&(load, agent));
        }
        change(found);
        if let Some(load) = found.load() {
            self.ready.insert((load, agent));
        }
        self.totals.add(found);
    }

    /// When to look next whether something lies ready that others could begin.
    pub(super) fn next_look(&self) -> Option<Moment> {
        let may_help = self.row.is_empty() && self.totals.ahead > 0 && self.has_idle();
        may_help.then(|| self.looked_at + QUIET)
    }

    /// Has back what lies ready behind calls that seem to be long, if somebody else has nothing to do.
    pub(super) fn look(&mut self, now: Moment) {
        if self.next_look().is_none_or(|at| at > now) {
            return;
        }
        self.looked_at = now;
        let is_quiet = |agent: &Agent| agent.may_be_recalled() && agent.heard_at() + QUIET <= now;
        let quiet: Vec<_> = self.agents.iter().filter(|(_, agent)| is_quiet(agent)).map(|(agent, _)| *agent).collect();
        for agent in quiet {
            self.actions.extend(self.agents[&agent].ahead().map(|call| Action::Recall { call, agent }));
            self.change(agent, Agent::recall);
        }
    }

    /// Whether some agent has a worker without a call.
    fn has_idle(&self) -> bool {
        self.ready.first().is_some_and(|(_, agent)| {
            let agent = &self.agents[agent];
            agent.held() < agent.slots()
        })
    }

    /// Whether the call is with an agent; `None` if it has ended.
    pub(in crate::node) fn is_held(&self, call: CallId) -> Option<bool> {
        self.calls.get(&call).map(|call| call.held_by.is_some())
    }

    /// How many calls have not begun, as far as is known.
    pub(in crate::node) fn queued(&self) -> usize {
        self.row.len() + self.totals.ahead
    }

    /// How many calls have not ended.
    pub(in crate::node) fn open(&self) -> usize {
        self.calls.len()
    }

    /// How many workers there are in all.
    pub(in crate::node) fn slots(&self) -> usize {
        self.totals.slots
    }

    /// How many agents there are.
    pub(in crate::node) fn len(&self) -> usize {
        self.totals.agents
    }

    pub(in crate::node) fn is_shutting_down(&self) -> bool {
        self.closing != Closing::Open
    }

    /// Whether a shutdown was asked for, and every call has ended.
    pub(in crate::node) fn is_over(&self) -> bool {
        self.is_shutting_down() && self.calls.is_empty()
    }
}
