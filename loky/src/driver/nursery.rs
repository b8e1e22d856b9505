//! The zygote of a pool, and the workers that are awaited from it.
//!
//! It is started when several workers are to be started at once, or else when the first call has ended, which does
//! not have to share the processors with it; from then on it is asked for all others. Whatever goes wrong with it
//! costs no more than time: who was awaited from it is started in the ordinary way. One that is lost is replaced, but
//! not for ever.

#[cfg(all(test, not(loom)))]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::Driver;
use super::background::{Chore, Launch, common_environment};
use super::inner::{Inner, Outbox};
use super::tokens::ZYGOTE;
use crate::config::{KILL_GRACE, Settings, ZYGOTES_LOST_MAX};
use crate::env;
use crate::ids::WorkerId;
use crate::supervisor::local::Recipe;
use crate::supervisor::zygote::{self, Answer, Ours, Theirs, Zygote};
use crate::supervisor::{Launched, refusal};
use crate::sys::bell::Bell;
use crate::sys::poll::Interest;

/// See the module.
#[derive(Debug)]
pub(super) enum Nursery {
    /// There is no zygote, and there will be none: it is not wanted, or cannot be had.
    Closed,
    /// There will be one soon, after so many were lost in a row.
    Vacant {
        lost: u32,
    },
    /// Somebody is starting one; meanwhile these wait.
    Preparing {
        lost: u32,
        waiting: Vec<Launch>,
    },
    Open(Box<Ward>),
}

/// A zygote, and who is awaited from it, in the order in which it was asked.
#[derive(Debug)]
pub(super) struct Ward {
    zygote: Zygote,
    expected: VecDeque<(Launch, Ours)>,
    lost: u32,
}

impl Nursery {
    pub(super) fn new(settings: &Settings) -> Self {
        if settings.zygote { Self::Vacant { lost: 0 } } else { Self::Closed }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    fn expects(&self, id: WorkerId) -> bool {
        matches!(self, Self::Open(ward) if ward.expected.iter().any(|(launch, _)| launch.worker == id))
    }

    /// `true`: whoever asks is the one to start the zygote.
    fn prepare(&mut self) -> bool {
        let Self::Vacant { lost } = *self else { return false };
        *self = Self::Preparing { lost, waiting: Vec::new() };
        true
    }

    fn lost(&self) -> u32 {
        match self {
            Self::Closed => 0,
            Self::Vacant { lost } | Self::Preparing { lost, .. } => *lost,
            Self::Open(ward) => ward.lost,
        }
    }

    /// What takes the place of a zygote that is lost.
    fn after_loss(lost: u32) -> Self {
        if lost < ZYGOTES_LOST_MAX { Self::Vacant { lost } } else { Self::Closed }
    }
}

impl Driver {
    /// Has the zygote make the worker. `false`: it does not; the worker is to be started in the ordinary way.
    pub(super) fn ask_zygote(&self, launch: Launch, recipe: &Recipe, bell: &Bell) -> bool {
        if launch.is_one_of_many {
            self.start_zygote();
        }
        match &mut self.inner.lock().nursery {
            Nursery::Open(_) => {}
            Nursery::Preparing { waiting, .. } => {
                waiting.push(launch);
                return true;
            }
            Nursery::Closed | Nursery::Vacant { .. } => return false,
        }
        let Ok((ours, theirs)) = zygote::prepare(recipe, bell) else { return false };
        self.act(|inner, _| inner.ask_zygote(launch, recipe, (ours, &theirs)).is_ok())
    }

    /// Starts the zygote, unless there is one, or there shall be none.
    pub(super) fn start_zygote(&self) {
        let settings = {
            let mut inner = self.inner.lock();
            if !inner.nursery.prepare() {
                return;
            }
            inner.settings.clone()
        };
        let program = env::arguments().into_iter().next().unwrap_or_default();
        let title = format!("{} [loky: zygote of {}]", program.to_string_lossy(), settings.name);
        let started = Zygote::start(&title, common_environment(&settings));
        self.act(|inner, _| inner.open_nursery(started));
    }

    /// The end of the pool.
    pub(super) fn close_nursery(&self) {
        let nursery = std::mem::replace(&mut self.inner.lock().nursery, Nursery::Closed);
        if let Nursery::Open(ward) = nursery {
            ward.zygote.end(KILL_GRACE);
        }
    }
}

impl Inner {
    /// The pool is in use, and nobody waits at this moment: the next worker shall not have to wait for a zygote.
    pub(super) fn want_zygote(&mut self) {
        if matches!(self.nursery, Nursery::Vacant { .. }) && !self.scheduler.is_shutting_down() {
            self.outbox.chores.push(Chore::StartZygote);
        }
    }

    /// The zygote has said something, or is gone.
    pub(super) fn hear_zygote(&mut self, now: Instant) {
        while let Nursery::Open(ward) = &mut self.nursery {
            match ward.zygote.hear() {
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Ok(Some(Answer::Unfit)) => {
                    ward.lost = ZYGOTES_LOST_MAX;
                    return self.lose_zygote(now);
                }
                Ok(Some(Answer::Copied(pid))) => self.hear_copy(Ok(pid), now),
                Ok(Some(Answer::Failed(why))) => self.hear_copy(Err(why), now),
                Ok(None) | Err(_) => return self.lose_zygote(now),
            }
        }
    }

    /// Nobody else will say whether this worker lives, and it has taken too long. The end of the zygote will tell.
    pub(super) fn give_up_waiting_for_zygote(&mut self, worker: WorkerId) {
        if let Nursery::Open(ward) = &self.nursery {
            if self.nursery.expects(worker) {
                self.outbox.chores.push(Chore::Kill(Arc::clone(&ward.zygote.process)));
            }
        }
    }

    /// The last worker has left because nothing was to do, and so the zygote goes, too.
    pub(super) fn rest_nursery(&mut self) {
        let is_at_rest = self.workers.is_empty() && self.calls.len() == 0 && self.settings.idle_timeout.is_some();
        if is_at_rest && self.nursery.is_open() {
            let lost = self.nursery.lost();
            self.discard_zygote(Nursery::Vacant { lost });
        }
    }

    fn ask_zygote(&mut self, launch: Launch, recipe: &Recipe, (ours, theirs): (Ours, &Theirs)) -> io::Result<()> {
        let Nursery::Open(ward) = &mut self.nursery else { return Err(io::ErrorKind::NotConnected.into()) };
        ward.zygote.ask(recipe, theirs)?;
        ward.expected.push_back((launch, ours));
        Ok(())
    }

    fn open_nursery(&mut self, started: io::Result<Zygote>) {
        // The pool may have ended meanwhile.
        let Nursery::Preparing { lost, waiting } = &mut self.nursery else { return self.outbox.discard(started) };
        let lost = *lost;
        self.outbox.launches.append(waiting);
        let is_watched = |zygote: &Zygote| {
            self.poller.as_ref().is_some_and(|poller| poller.add(zygote, ZYGOTE, Interest::Read).is_ok())
        };
        self.nursery = match started {
            Ok(zygote) if is_watched(&zygote) => {
                Nursery::Open(Box::new(Ward { zygote, expected: VecDeque::new(), lost }))
            }
            started => {
                self.outbox.discard(started);
                Nursery::after_loss(lost + 1)
            }
        };
    }

    /// What it was asked for first is there, or cannot be had.
    fn hear_copy(&mut self, copied: io::Result<u32>, now: Instant) {
        let Nursery::Open(ward) = &mut self.nursery else { return };
        ward.lost = 0;
        let Some((launch, ours)) = ward.expected.pop_front() else { return };
        self.hear_launch(launch.worker, embodied(copied, ours), now);
    }

    /// It is gone. A copy that it has made in its last moment lives; all others that are awaited are started anew.
    fn lose_zygote(&mut self, now: Instant) {
        let lost = self.nursery.lost().saturating_add(1);
        let Some(mut ward) = self.discard_zygote(Nursery::after_loss(lost)) else { return };
        if let Some(((launch, ours), pid)) =
            ward.zygote.untold().and_then(|pid| Some((ward.expected.pop_front()?, pid)))
        {
            self.hear_launch(launch.worker, embodied(Ok(pid), ours), now);
        }
        for (launch, _) in ward.expected {
            if self.workers.get(&launch.worker).is_some_and(|worker| worker.is_killed) {
                self.hear_launch(launch.worker, Err("it is not wanted any more".to_string()), now);
            } else {
                self.outbox.launches.push(launch);
            }
        }
    }

    fn discard_zygote(&mut self, next: Nursery) -> Option<Box<Ward>> {
        let Nursery::Open(ward) = std::mem::replace(&mut self.nursery, next) else { return None };
        if let Some(poller) = &self.poller {
            // That we close it would not be enough if a forked child of this program held it, too.
            let _ = poller.remove(&ward.zygote);
        }
        self.outbox.chores.push(Chore::Discard(Arc::clone(&ward.zygote.process)));
        Some(ward)
    }
}

impl Outbox {
    fn discard(&mut self, started: io::Result<Zygote>) {
        self.chores.extend(started.ok().map(|zygote| Chore::Discard(zygote.process)));
    }
}

fn embodied(copied: io::Result<u32>, ours: Ours) -> Result<Launched, String> {
    copied.and_then(|pid| ours.with(pid)).map_err(|why| format!("copying a process failed: {}", refusal(&why)))
}
