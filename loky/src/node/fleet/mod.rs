//! Decides which agent gets which call, for one pool; no clock, no threads, no I/O.
//!
//! Calls wait in one row: urgent ones first, then in the order in which they came. An agent has *credit*: so many calls may
//! be with it at once. Where calls are long, that is as many as it has workers, for a call that lay ready behind a long one
//! would be better off elsewhere, and would be lost with its agent; where they are short, some more travel ahead, so that no
//! worker waits for the network. The least loaded agent is given the next one.
//!
//! Every call is either in the row or with exactly one agent, until it ends, which it does once. An agent that is silent gets
//! nothing more, and keeps what it has until it is lost for certain: so a call is never in two places. What a lost agent had
//! goes back to its old place in the row if it has retries left, and ends if not. That a machine was lost is not the fault of
//! any call. Who names a call that is not with that agent in that very attempt is not heard.

mod agent;
mod room;
#[cfg(all(test, not(loom)))]
mod sim;
#[cfg(all(test, not(loom)))]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use self::agent::Agent;
use self::room::Totals;
use super::AgentId;
use super::lease::Moment;
use crate::ids::CallId;

/// See the module.
#[derive(Debug)]
pub(super) struct Fleet {
    agents: BTreeMap<AgentId, Agent>,
    /// Those that may be given one more call, the least loaded first.
    ready: BTreeSet<(u64, AgentId)>,
    totals: Totals,
    /// When it was last looked whether something lies ready that others could begin.
    looked_at: Moment,
    calls: HashMap<CallId, Call>,
    row: BTreeMap<Place, CallId>,
    /// When calls of the row are to end.
    ends: BTreeSet<(Moment, CallId)>,
    /// Since when there has been no agent that could be given anything.
    deserted_at: Option<Moment>,
    /// How long that may be while calls wait.
    patience: Duration,
    closing: Closing,
    actions: VecDeque<Action>,
}

/// Where in the row a call waits: urgent ones first, older ones before younger ones.
type Place = (Reverse<i32>, CallId);

#[derive(Debug)]
struct Call {
    terms: Terms,
    /// From 1; one more for each agent that was lost with it.
    attempt: u32,
    /// With which agent it is, and since when; `None` while it waits.
    held_by: Option<(AgentId, Moment)>,
    /// Whether somebody has given it up, or asked it to end: then it does not go elsewhere any more.
    is_given_up: bool,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) priority: i32,
    pub(super) retries: u32,
    /// When it ends if no agent has it by then.
    pub(super) start_by: Option<Moment>,
    pub(super) end_by: Option<Moment>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Give this call to that agent.
    Send { call: CallId, agent: AgentId, attempt: u32 },
    /// Have that agent give the call up.
    Cancel { call: CallId, agent: AgentId },
    /// Have that agent give the call back, if it has not begun.
    Recall { call: CallId, agent: AgentId },
    /// The call has ended without an answer.
    Settle { call: CallId, why: Why },
}

/// Why a call ends without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It may have begun with the agent, if there is one.
    Cancelled(Option<AgentId>),
    QueuedTooLong,
    DeadlinePassed,
    NodeLost {
        agent: AgentId,
        attempt: u32,
    },
    ShutDown(Option<AgentId>),
    /// There has been no agent for too long.
    Deserted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closing {
    Open,
    /// What is there is finished.
    Draining,
    Forced,
}

impl Fleet {
    /// No agent may be there for `patience`, while calls wait, before they end.
    pub(super) fn new(patience: Duration, now: Moment) -> Self {
        Self {
            agents: BTreeMap::new(),
            ready: BTreeSet::new(),
            totals: Totals::default(),
            looked_at: now,
            calls: HashMap::new(),
            row: BTreeMap::new(),
            ends: BTreeSet::new(),
            deserted_at: Some(now),
            patience,
            closing: Closing::Open,
            actions: VecDeque::new(),
        }
    }

    pub(super) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub(super) fn submit(&mut self, call: CallId, terms: Terms, now: Moment) {
        self.calls.insert(call, Call { terms, attempt: 1, held_by: None, is_given_up: false });
        if self.closing != Closing::Open {
            return self.settle(call, Why::ShutDown(None));
        }
        self.enqueue(call);
        self.dispatch(now);
    }

    /// The agent has an answer. Returns whether it is the one that is awaited: then the call is over.
    pub(super) fn answered(&mut self, agent: AgentId, call: CallId, attempt: u32, now: Moment) -> bool {
        let Some(since) = self.held_since(agent, call, attempt) else { return false };
        self.calls.remove(&call);
        self.change(agent, |agent| agent.release(call, Some(now.saturating_sub(since)), now));
        self.dispatch(now);
        true
    }

    /// The agent gives the call back, which it has not begun. Returns whether that is heard.
    pub(super) fn given_back(&mut self, agent: AgentId, call: CallId, attempt: u32, now: Moment) -> bool {
        if self.held_since(agent, call, attempt).is_none() {
            return false;
        }
        self.change(agent, |agent| agent.release(call, None, now));
        self.reconsider(call, None, now);
        self.dispatch(now);
        true
    }

    /// Somebody gives the call up. `false`: it has ended, or was given up before.
    pub(super) fn cancel(&mut self, call: CallId, now: Moment) -> bool {
        let Some(found) = self.calls.get_mut(&call) else { return false };
        let was_given_up = std::mem::replace(&mut found.is_given_up, true);
        match found.held_by {
            None => self.settle(call, Why::Cancelled(None)),
            Some((agent, _)) => self.actions.push_back(Action::Cancel { call, agent }),
        }
        self.dispatch(now);
        !was_given_up
    }

    /// The call is to end by itself: one that waits ends. Returns the agent that is to ask it, if one has it.
    pub(super) fn ask_to_end(&mut self, call: CallId) -> Option<AgentId> {
        let found = self.calls.get_mut(&call)?;
        found.is_given_up = true;
        match found.held_by {
            None => {
                self.settle(call, Why::Cancelled(None));
                None
            }
            Some((agent, _)) => Some(agent),
        }
    }

    pub(super) fn shut_down(&mut self, is_forced: bool) {
        self.closing = self.closing.max(if is_forced { Closing::Forced } else { Closing::Draining });
        if self.closing == Closing::Forced {
            let waiting: Vec<_> = self.row.values().copied().collect();
            waiting.into_iter().for_each(|call| self.settle(call, Why::ShutDown(None)));
        }
    }

    /// When something is to be done next, whatever happens until then.
    pub(super) fn next_timeout(&self) -> Option<Moment> {
        let ends = self.ends.first().map(|(at, _)| *at);
        let deserted = self.deserted_at.filter(|_| !self.row.is_empty()).map(|since| since + self.patience);
        [ends, deserted, self.next_look()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Moment) {
        while let Some(&(at, call)) = self.ends.first().filter(|(at, _)| *at <= now) {
            let is_late = self.calls.get(&call).and_then(|call| call.terms.start_by).is_some_and(|by| by <= at);
            self.settle(call, if is_late { Why::QueuedTooLong } else { Why::DeadlinePassed });
        }
        if self.deserted_at.is_some_and(|since| since + self.patience <= now) {
            let waiting: Vec<_> = self.row.values().copied().collect();
            waiting.into_iter().for_each(|call| self.settle(call, Why::Deserted));
        }
        self.look(now);
    }

    /// Since when the agent has had the call, if it has it in this attempt.
    fn held_since(&self, agent: AgentId, call: CallId, attempt: u32) -> Option<Moment> {
        let call = self.calls.get(&call).filter(|call| call.attempt == attempt)?;
        call.held_by.filter(|(holder, _)| *holder == agent).map(|(_, since)| since)
    }

    /// The call is with nobody any more; `lost` names who was lost with it. It waits again, or ends.
    fn reconsider(&mut self, call: CallId, lost: Option<AgentId>, now: Moment) {
        let Some(found) = self.calls.get_mut(&call) else { return };
        found.held_by = None;
        let (attempt, is_lost) = (found.attempt, lost.is_some());
        let end = match lost {
            _ if self.closing == Closing::Forced => Some(Why::ShutDown(lost)),
            _ if found.is_given_up => Some(Why::Cancelled(lost)),
            Some(agent) if attempt > found.terms.retries => Some(Why::NodeLost { agent, attempt }),
            _ => None,
        };
        if let Some(why) = end {
            return self.settle(call, why);
        }
        found.attempt += u32::from(is_lost);
        // Its limit for the start has been kept, if it may have begun.
        found.terms.start_by = found.terms.start_by.filter(|_| !is_lost);
        self.enqueue(call);
        if self.ends.first().is_some_and(|(at, _)| *at <= now) {
            self.handle_timeout(now);
        }
    }

    fn enqueue(&mut self, call: CallId) {
        let terms = self.calls[&call].terms;
        self.row.insert((Reverse(terms.priority), call), call);
        if let Some(end) = terms.first_end() {
            self.ends.insert((end, call));
        }
    }

    /// Takes a call out of the row.
    fn dequeue(&mut self, call: CallId) {
        let Some(terms) = self.calls.get(&call).map(|call| call.terms) else { return };
        self.row.remove(&(Reverse(terms.priority), call));
        if let Some(end) = terms.first_end() {
            self.ends.remove(&(end, call));
        }
    }

    /// The call ends, and is with nobody.
    fn settle(&mut self, call: CallId, why: Why) {
        self.dequeue(call);
        self.calls.remove(&call);
        self.actions.push_back(Action::Settle { call, why });
    }

    /// Gives out what can be given out.
    fn dispatch(&mut self, now: Moment) {
        while let (Some((_, &call)), Some(&(_, agent))) = (self.row.first_key_value(), self.ready.first()) {
            self.dequeue(call);
            let Some(found) = self.calls.get_mut(&call) else { continue };
            found.held_by = Some((agent, now));
            let attempt = found.attempt;
            self.change(agent, |agent| agent.hold(call, now));
            self.actions.push_back(Action::Send { call, agent, attempt });
        }
    }
}

impl Terms {
    /// When it ends if it still waits then.
    fn first_end(&self) -> Option<Moment> {
        [self.start_by, self.end_by].into_iter().flatten().min()
    }
}
