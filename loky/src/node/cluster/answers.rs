//! What agents answer.

use super::Cluster;
use super::state::State;
use crate::driver::{Order, Outcome};
use crate::error::{Error, ErrorKind};
use crate::ids::CallId;
use crate::node::AgentId;
use crate::node::lease::Moment;
use crate::node::message::Answer;

impl Cluster {
    /// Takes in what an agent has said of this pool, all at once.
    pub(in crate::node) fn heard(&self, agent: AgentId, answers: Vec<(Answer, Vec<u8>)>) {
        let has_left = answers.iter().any(|(answer, _)| matches!(answer, Answer::Closed));
        let is_warm = answers.iter().any(|(answer, _)| matches!(answer, Answer::Warm));
        self.act(|state, now| {
            answers.into_iter().for_each(|(answer, bytes)| take_in(state, agent, answer, bytes, now))
        });
        if is_warm {
            self.warmed(agent);
        }
        if has_left {
            self.left(agent);
        }
    }
}

fn take_in(state: &mut State, agent: AgentId, answer: Answer, bytes: Vec<u8>, now: Moment) {
    match answer {
        Answer::Done { call, attempt, outcome } => {
            if state.fleet.answered(agent, call, attempt, now) {
                deliver(state, agent, call, |order| Outcome::heard(outcome, bytes, order));
            }
        }
        // Who names a call that is not with it is not heard.
        Answer::GivenBack { call, attempt } => _ = state.fleet.given_back(agent, call, attempt, now),
        Answer::Warm | Answer::Closed => {}
    }
}

fn deliver(state: &mut State, agent: AgentId, call: CallId, outcome: impl FnOnce(&Order) -> Option<Outcome>) {
    let Some(pending) = state.calls.remove(&call) else { return };
    let mut outcome = Box::new(outcome(&pending.order).unwrap_or_else(|| {
        let what = "ran, but what its machine says of the result cannot be understood";
        let host = state.agents.get(&agent).map_or("", |member| &member.wire.host);
        let error = Error::new(ErrorKind::Decode, what).having_run().with_host(host);
        Outcome::failed(error.with_task(pending.order.task_name()))
    }));
    outcome.keep(pending.order.trace());
    state.end(pending, outcome);
}
