//! What may be seen in the worlds of the scheduler.

use super::super::{Action, Why};
use super::ledger::{End, Ledger, Stage, WorkerRecord};
use crate::ids::{CallKey, WorkerId};
use crate::worlds::{self, sights};

sights! {
    /// What one may see in a world.
    pub(super) enum Sight {
        Step,
        Delivered,
        Crashed,
        Cancelled,
        RanTooLong,
        Outgrew,
        QueuedTooLong,
        DeadlinePassed,
        CannotLaunch,
        ShutDown,
        /// A call was finished after an interrupt, since it had begun.
        Finished,
        Warmed,
        /// A call that is over was tried more than once.
        Retried,
        /// A call that had begun in an earlier try ended while it waited for the next.
        EndedBetweenTries,
        Recall,
        /// A call was taken back that had not begun.
        TakenBack,
        /// A recall came too late: what lay ready had begun.
        BegunBeforeRecall,
        /// A call was taken back, and then dispatched to the same worker.
        DispatchedBack,
        /// A call ended while the worker that had held it ran on.
        EndedUnharmed,
        /// A death was waited for in vain.
        Abandoned,
        /// A worker took too long to make itself ready, or to leave, by the limit of what it did.
        TookTooLongAtFirst,
        TookTooLongAtLast,
        /// A worker was idle for long, and stayed.
        Stayed,
        /// A worker was too large, and its answer came all the same.
        AnsweredAllTheSame,
        /// A worker that was to be replaced gave back what it held.
        Worn,
        /// A call that was asked to end had a result, or had none in time, or died before.
        EndedInGrace,
        AskedInVain,
        DiedInGrace,
    }
}

pub(super) type Tally = worlds::Tally<Sight>;

impl Tally {
    pub(super) fn saw_action(&mut self, action: &Action, ledger: &Ledger) {
        match *action {
            Action::Deliver { call } => {
                self.saw(Sight::Delivered);
                if ledger.is_interrupted() {
                    self.saw(Sight::Finished);
                }
                if ledger.find(call).is_some_and(|call| ledger.calls[call].outgrew) {
                    self.saw(Sight::AnsweredAllTheSame);
                }
                if ledger.find(call).is_some_and(|call| ledger.calls[call].asked.is_some()) {
                    self.saw(Sight::EndedInGrace);
                }
            }
            Action::Warmed => self.saw(Sight::Warmed),
            Action::Kill { worker } => self.saw_kill(&ledger.workers[worker.0 as usize]),
            Action::Settle { call, why } => {
                self.saw(sight_of(why));
                let is_between = |call: usize| {
                    let call = &ledger.calls[call];
                    call.charged > 0 && call.charged <= call.terms.retries && call.holder.is_none()
                };
                if ledger.find(call).is_some_and(is_between) {
                    self.saw(Sight::EndedBetweenTries);
                }
            }
            _ => {}
        }
    }

    fn saw_kill(&mut self, worker: &WorkerRecord) {
        match worker.stage {
            Stage::Launching if worker.is_on_errand && !worker.is_link_closed => self.saw(Sight::TookTooLongAtFirst),
            Stage::Stopping if worker.is_on_errand => self.saw(Sight::TookTooLongAtLast),
            _ => {}
        }
    }

    /// The answer to a recall is about to be told.
    pub(super) fn saw_recalled(&mut self, worker: WorkerId, begun: Option<CallKey>, ledger: &Ledger) {
        self.saw(Sight::Recall);
        let record = &ledger.workers[worker.0 as usize];
        let begun = record.held.iter().position(|&call| begun == Some(ledger.calls[call].id)).map_or(0, |at| at + 1);
        (begun..record.held.len()).for_each(|_| self.saw(Sight::TakenBack));
        if begun > record.started {
            self.saw(Sight::BegunBeforeRecall);
        }
    }

    /// What only the end of a world shows.
    pub(super) fn saw_ledger(&mut self, ledger: &Ledger) {
        for call in &ledger.calls {
            if call.tries.len() > 1 && call.charged > 0 {
                self.saw(Sight::Retried);
            }
            let workers: Vec<_> = call.tries.iter().map(|tried| tried.worker).collect();
            if (1..workers.len()).any(|place| workers[..place].contains(&workers[place])) {
                self.saw(Sight::DispatchedBack);
            }
            if call.is_told && !call.is_cancelled && call.end == Some(End::Over) && call.charged > 0 {
                self.saw(if call.is_doomed { Sight::AskedInVain } else { Sight::DiedInGrace });
            }
            let is_unharmed = |worker: &WorkerId| ledger.workers[worker.0 as usize].served > 0;
            if call.is_cancelled && call.end == Some(End::NeverBegun) && workers.last().is_some_and(is_unharmed) {
                self.saw(Sight::EndedUnharmed);
            }
        }
        if ledger.stayed > 0 {
            self.saw(Sight::Stayed);
        }
        for _ in ledger.workers.iter().filter(|worker| worker.is_worn) {
            self.saw(Sight::Worn);
        }
        for _ in ledger.workers.iter().filter(|worker| worker.stage == Stage::Abandoned) {
            self.saw(Sight::Abandoned);
        }
    }
}

const fn sight_of(why: Why) -> Sight {
    match why {
        Why::Crashed(_) => Sight::Crashed,
        Why::Cancelled(_) => Sight::Cancelled,
        Why::RanTooLong(_) => Sight::RanTooLong,
        Why::Outgrew(_) => Sight::Outgrew,
        Why::QueuedTooLong => Sight::QueuedTooLong,
        Why::DeadlinePassed(_) => Sight::DeadlinePassed,
        Why::CannotLaunch(_) => Sight::CannotLaunch,
        Why::ShutDown(_) => Sight::ShutDown,
    }
}
