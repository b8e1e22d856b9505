//! What pools and handles ask for. Nothing here waits.

use std::sync::Arc;
use std::time::Duration;

use super::Cluster;
use super::state::{Pending, State};
use crate::driver::{Order, OutcomeCell};
use crate::error::{Error, ErrorKind};
use crate::ids::{CallId, CallKey};
use crate::node::fleet::Terms;
use crate::node::lease::Moment;
use crate::node::message::{Wish, of_pool};
use crate::node::pieces::Lane;
use crate::oneshot::{Cell, Watcher};
use crate::shared::passing::Item;

impl Cluster {
    /// Takes the call out of `order`. Its outcome lands in `cell`, or else waits for a handle that there must be then.
    /// With `heed_limit`, `None` if the queue is full.
    pub(crate) fn submit(
        &self,
        order: &mut Option<Order>,
        cell: Option<&Arc<OutcomeCell>>,
        heed_limit: bool,
    ) -> Option<Result<CallKey, Error>> {
        if let Err(why) = self.check_process().and_then(|()| check(order.as_ref())) {
            return Some(Err(why.with_task(order.take()?.task_name())));
        }
        self.act(|state, now| {
            if heed_limit && self.is_full(state, order.as_ref().map_or(0, Order::bytes)) {
                return None;
            }
            Some(Ok(take_in(state, order.take()?, cell, now)))
        })
    }

    /// Whether the queue has room for a call with so many bytes; if it has not, `watcher` is told when it may have.
    pub(crate) fn has_room(&self, bytes: usize, watcher: impl FnOnce() -> Option<Watcher>) -> bool {
        self.is_foreign()
            || self.act(|state, _| {
                let is_full = self.is_full(state, bytes);
                state.watchers.extend(is_full.then(watcher).flatten());
                !is_full
            })
    }

    pub(super) fn is_full(&self, state: &State, bytes: usize) -> bool {
        let is_long = self.settings.queue_limit.is_some_and(|limit| state.fleet.queued() >= limit);
        let limit = self.settings.queue_limit_bytes;
        // One that is longer than the limit alone has room where nothing else waits.
        let is_heavy = limit.is_some_and(|limit| state.waiting_bytes > 0 && state.waiting_bytes + bytes > limit);
        (is_long || is_heavy) && !state.fleet.is_shutting_down()
    }

    /// Gives a call up. `false`: it has ended, or somebody else has given it up before.
    pub(crate) fn cancel(&self, call: CallKey) -> bool {
        !self.is_foreign() && self.act(|state, now| state.fleet.cancel(call.id, now))
    }

    /// Asks a call to end by itself, and kills its worker if it has not after `grace`. `false`: it has ended.
    pub(crate) fn ask_to_end(&self, call: CallKey, grace: Duration) -> bool {
        if self.is_foreign() {
            return false;
        }
        self.act(|state, _| {
            let is_alive = state.calls.contains_key(&call.id);
            if let Some(agent) = state.fleet.ask_to_end(call.id) {
                self.wish(state, agent, &Wish::AskToEnd(call.id, grace));
            }
            is_alive
        })
    }

    /// Gives many calls up, at once.
    pub(crate) fn cancel_all(&self, calls: impl IntoIterator<Item = CallKey>) {
        if !self.is_foreign() {
            self.act(|state, now| calls.into_iter().for_each(|call| _ = state.fleet.cancel(call.id, now)));
        }
    }

    /// Whether the call is with an agent; `None` if it has ended.
    pub(crate) fn has_started(&self, call: CallKey) -> Option<bool> {
        if self.is_foreign() { None } else { self.state.lock().fleet.is_held(call.id) }
    }

    /// So many workers on each machine.
    pub(crate) fn resize(&self, workers: usize) {
        if self.is_foreign() {
            return;
        }
        let workers = workers.max(1);
        self.act(|state, now| {
            state.workers_each = workers;
            let agents: Vec<_> = state.agents.keys().copied().collect();
            for agent in agents {
                self.wish(state, agent, &Wish::Resize(workers));
                state.fleet.resized(agent, workers, now);
            }
        });
    }

    /// Starts all workers. The cell is complete when they are ready, or cannot be had.
    pub(crate) fn warm_up(&self) -> Result<Arc<Cell<()>>, Error> {
        self.check_process()?;
        let cell = Arc::new(Cell::new());
        self.act(|state, now| {
            state.warm.push(Arc::clone(&cell));
            let agents: Vec<_> = state.agents.keys().copied().collect();
            agents.into_iter().for_each(|agent| self.have_warmed(state, agent));
            self.note_warm(state, now);
        });
        Ok(cell)
    }

    pub(crate) fn ask_shutdown(&self, is_forced: bool) {
        if !self.is_foreign() {
            self.act(|state, _| {
                state.fleet.shut_down(is_forced);
                if is_forced {
                    self.close_all(state, true);
                }
            });
        }
    }

    /// Says something to an agent.
    pub(super) fn wish(&self, state: &State, agent: crate::node::AgentId, wish: &Wish) {
        if let Some(member) = state.agents.get(&agent) {
            member.wire.send(Lane::Usual, of_pool(self.id, wish, []));
        }
    }
}

/// Whether the call can leave this machine.
fn check(order: Option<&Order>) -> Result<(), Error> {
    let stays = |item: &Item| !matches!(item, Item::Segment(_));
    if order.is_none_or(|order| !order.enclosed().any(stays)) {
        return Ok(());
    }
    let what = "did not run: its arguments have a `loky::Fd` in them, which cannot leave this machine";
    let advice = "send what can be read from it, or use a pool that is `.local()`";
    Err(Error::new(ErrorKind::Encode, what).with_advice(advice))
}

fn take_in(state: &mut State, order: Order, cell: Option<&Arc<OutcomeCell>>, now: Moment) -> CallKey {
    let id = CallId::mint();
    let place = cell.map_or_else(|| Arc::new(OutcomeCell::new()), Arc::clone);
    if cell.is_none() {
        state.handles.insert(id, Arc::clone(&place));
    }
    let limits = order.limits();
    let terms = Terms {
        priority: limits.priority,
        retries: limits.retries.unwrap_or(0),
        start_by: limits.queue_timeout.and_then(|limit| now.checked_add(limit)),
        end_by: limits.deadline.and_then(|limit| now.checked_add(limit)),
    };
    state.counters.submitted += 1;
    state.waiting_bytes += order.bytes();
    state.calls.insert(id, Pending { order, cell: place, spawned_at: now, is_sent: false });
    state.fleet.submit(id, terms, now);
    CallKey { id, slot: 0 }
}
