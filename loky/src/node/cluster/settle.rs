//! Carries out what the fleet decides: calls on their way, and calls that end without an answer.

use std::sync::Arc;

use super::Cluster;
use super::state::State;
use crate::driver::Outcome;
use crate::error::{Error, ErrorKind, in_words};
use crate::ids::CallId;
use crate::node::AgentId;
use crate::node::fleet::{Action, Why};
use crate::node::lease::Moment;
use crate::node::message::{Wish, of_pool};
use crate::node::pieces::Part;
use crate::shared::passing::Item;

impl Cluster {
    /// Does what follows from what the fleet was told.
    pub(super) fn perform(&self, state: &mut State, now: Moment) {
        while let Some(action) = state.fleet.next_action() {
            match action {
                Action::Send { call, agent, attempt } => self.send(state, call, agent, attempt, now),
                Action::Cancel { call, agent } => self.wish(state, agent, &Wish::Cancel(call)),
                Action::Recall { call, agent } => self.wish(state, agent, &Wish::Recall(call)),
                Action::Settle { call, why } => self.settle(state, call, why),
            }
        }
        if !state.watchers.is_empty() && !self.is_full(state, 0) {
            state.tell_room();
        }
        if state.fleet.is_over() {
            self.close_all(state, false);
            if state.agents.is_empty() {
                state.tell_warm();
                state.tell_finished();
            }
        }
    }

    fn send(&self, state: &mut State, call: CallId, agent: AgentId, attempt: u32, now: Moment) {
        let (Some(pending), Some(member)) = (state.calls.get_mut(&call), state.agents.get(&agent)) else { return };
        if !std::mem::replace(&mut pending.is_sent, true) {
            state.waiting_bytes -= pending.order.bytes();
        }
        let age = now.saturating_sub(pending.spawned_at);
        let (order, captures, arguments) = pending.order.said(attempt - 1, age);
        let follow = captures.map(Part::Parcel).into_iter().chain([Part::Payload(arguments)]);
        let message = of_pool(self.id(), &Wish::Run { call, attempt, order }, follow);
        let segments = pending.order.enclosed().filter_map(|item| match item {
            Item::Segment(segment) => Some(Arc::clone(segment)),
            Item::Fd(..) | Item::Parents(_) => None,
        });
        member.wire.send_enclosing(segments, message);
    }

    fn settle(&self, state: &mut State, call: CallId, why: Why) {
        let Some(pending) = state.calls.remove(&call) else { return };
        let host =
            |agent: AgentId| state.agents.get(&agent).map_or_else(String::new, |member| member.wire.host.clone());
        let limits = pending.order.limits();
        let begun = |error: Error, agent: Option<AgentId>| match agent {
            Some(agent) => error.having_run().with_host(&host(agent)),
            None => error,
        };
        let error = match why {
            Why::Cancelled(agent) => begun(Error::new(ErrorKind::Cancelled, "was cancelled"), agent),
            Why::ShutDown(agent) => {
                begun(Error::new(ErrorKind::Shutdown, "was ended by the shutdown of its pool"), agent)
            }
            Why::QueuedTooLong => {
                let limit = in_words(limits.queue_timeout.unwrap_or_default());
                Error::new(ErrorKind::QueueTimeout, format!("waited longer than its limit of {limit}"))
            }
            Why::DeadlinePassed => {
                let limit = in_words(limits.deadline.unwrap_or_default());
                Error::new(ErrorKind::Timeout, format!("missed its deadline, {limit} after its spawn"))
            }
            Why::NodeLost { agent, attempt } => {
                let host = host(agent);
                let what = format!("was lost with the machine {host}, of which nothing is heard any more");
                let most = limits.retries.unwrap_or(0).saturating_add(1);
                Error::new(ErrorKind::NodeLost, what).with_host(&host).with_attempt(attempt, most).having_run()
            }
            Why::Deserted => {
                let patience = in_words(self.hub.patience());
                let what = format!("did not run: for {patience} there has been no machine to run it on");
                Error::new(ErrorKind::Launch, what)
                    .with_advice("see what the launcher of the agents says, and whether they reach this machine")
            }
        };
        let mut outcome = Box::new(Outcome::failed(error.with_task(pending.order.task_name())));
        outcome.keep(pending.order.trace());
        state.end(pending, outcome);
    }
}
