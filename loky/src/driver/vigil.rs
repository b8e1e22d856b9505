//! Watches the memory of workers where it has a limit.
//!
//! Who uses how much is read from the kernel, since a worker cannot be trusted to say it; by the background thread,
//! outside the lock, which takes a few microseconds for each worker. A worker is looked at while it has something to
//! do, be it a call or what it runs for its pool, and once more after that: so a pool that idles sleeps, and one without
//! a limit never looks.
//!
//! The nearer a worker is to its limit, the sooner is the next look: no later than the processors could fill what is
//! left if they did nothing else, but neither before [`LOOK_MIN`] nor after [`LOOK_MAX`].
//!
//! # Whose fault it is
//!
//! Between a look and what follows from it, the worker may have answered. So it is halted first: it begins nothing more,
//! and if it has begun something else since the look, that one is blamed only if the worker is too large even now. Then
//! it is killed. Whatever has made it out by then counts, and what had begun and made nothing out is to blame.
//!
//! A worker that has run an initializer is looked at before anything else runs in it, so that nothing else is blamed for
//! what that one has left behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Driver;
use super::clock;
use super::inner::Inner;
use crate::config::{LOOK_MAX, LOOK_MIN, MEMORY_PER_CPU_US, Settings};
use crate::ids::WorkerId;
use crate::scheduler::Event;
use crate::supervisor::gauge::Gauge;
use crate::supervisor::refusal;
use crate::sys::page::Begun;

/// When to look next, and what is too much.
#[derive(Debug)]
pub(super) struct Vigil {
    limit: Option<u64>,
    /// By how many bytes a worker may grow in a microsecond.
    growth: u64,
    /// Never later than any worker's.
    next: Option<Instant>,
}

/// The memory of one worker.
#[derive(Debug)]
pub(super) struct Memory {
    gauge: Arc<Gauge>,
    /// In bytes, at the last look.
    seen: u64,
    /// When to look next; never, while it has nothing to do.
    due: Option<Instant>,
    /// How much it had when that was found to be too much.
    too_much: Option<u64>,
}

/// A look at one worker: what it had begun just before, and how much memory it had.
#[derive(Debug)]
pub(super) struct Look {
    worker: WorkerId,
    gauge: Arc<Gauge>,
    begun: Begun,
    bytes: u64,
}

impl Vigil {
    pub(super) fn new(settings: &Settings) -> Self {
        let cpus = u64::try_from(settings.cpus).unwrap_or(u64::MAX).max(1);
        Self { limit: settings.memory_limit, growth: cpus.saturating_mul(MEMORY_PER_CPU_US), next: None }
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// How long nobody need look at a worker that has so much.
    fn pause(&self, bytes: u64) -> Duration {
        let left = self.limit.unwrap_or(u64::MAX).saturating_sub(bytes);
        Duration::from_micros(left / self.growth).clamp(LOOK_MIN, LOOK_MAX)
    }

    fn is_too_much(&self, bytes: u64) -> bool {
        self.limit.is_some_and(|limit| bytes > limit)
    }
}

impl Memory {
    /// Of the process with this pid, if it has a limit.
    pub(super) fn of(vigil: &Vigil, pid: u32) -> Result<Option<Self>, String> {
        if vigil.limit.is_none() {
            return Ok(None);
        }
        let gauge = Gauge::of_child(pid).map_err(|why| format!("its memory cannot be watched: {}", refusal(&why)))?;
        Ok(Some(Self { gauge: Arc::new(gauge), seen: 0, due: None, too_much: None }))
    }

    /// The worker has something to do from now on.
    #[cold]
    pub(super) fn watch(&mut self, vigil: &mut Vigil) {
        if self.due.is_none() {
            let at = clock::now() + vigil.pause(self.seen);
            self.due = Some(at);
            vigil.next = Some(vigil.next.map_or(at, |next| next.min(at)));
        }
    }

    /// In bytes, at the last look; nothing if there was none.
    pub(super) fn last_seen(&self) -> Option<u64> {
        (self.seen > 0).then_some(self.seen)
    }
}

impl Driver {
    /// Looks at whose turn it is.
    pub(super) fn look_at_memory(&self) {
        let looks = self.inner.lock().due_looks();
        self.look(looks);
    }

    pub(super) fn look(&self, mut looks: Vec<Look>) {
        if looks.is_empty() {
            return;
        }
        // One that is dead has nothing.
        looks.iter_mut().for_each(|look| look.bytes = look.gauge.private_bytes().unwrap_or(0));
        let (_, has_told) = self.try_act(|inner, now| inner.take_in_looks(looks, now));
        if has_told {
            self.interrupt();
        }
    }
}

impl Inner {
    /// At whom to look now.
    pub(super) fn due_looks(&self) -> Vec<Look> {
        let Some(next) = self.vigil.next else { return Vec::new() };
        let now = clock::now();
        if next > now {
            return Vec::new();
        }
        let due = self.workers.iter().filter_map(|(&worker, found)| {
            let body = found.body.as_ref()?;
            let memory = body.memory.as_ref().filter(|memory| memory.due.is_some_and(|at| at <= now))?;
            Some(Look { worker, gauge: Arc::clone(&memory.gauge), begun: body.page.begun(), bytes: 0 })
        });
        due.collect()
    }

    fn take_in_looks(&mut self, looks: Vec<Look>, now: Instant) {
        for look in looks {
            if self.vigil.is_too_much(look.bytes) {
                self.has_too_much(&look, now);
            }
            self.plan_look(&look);
        }
        let dues = self.workers.values().filter_map(|worker| worker.body.as_ref()?.memory.as_ref()?.due);
        self.vigil.next = dues.min();
    }

    /// When to look at it again, if it has something to do.
    fn plan_look(&mut self, look: &Look) {
        let Some(worker) = self.workers.get_mut(&look.worker) else { return };
        let Some(body) = worker.body.as_mut() else { return };
        let Some(memory) = &mut body.memory else { return };
        let is_watched = !worker.is_killed && !body.given.is_empty();
        if look.bytes > 0 {
            // Else it has just died, and what it had before is what is worth knowing.
            memory.seen = look.bytes;
        }
        memory.due = is_watched.then(|| clock::now() + self.vigil.pause(look.bytes));
    }

    fn has_too_much(&mut self, look: &Look, now: Instant) {
        let worker = self.workers.get_mut(&look.worker).filter(|worker| !worker.is_killed);
        let Some((body, turn)) = worker.and_then(|worker| Some((worker.body.as_mut()?, worker.turn))) else { return };
        let Some(memory) = &mut body.memory else { return };
        let begun = body.page.halt();
        // What runs for the pool is alone in its worker: it is not blamed for what was there before it began.
        let is_the_same = begun == look.begun && (turn.is_none() || body.given.begun(begun).is_some());
        let bytes = if is_the_same { Some(look.bytes) } else { look.gauge.private_bytes() };
        if let Some(bytes) = bytes.filter(|&bytes| self.vigil.is_too_much(bytes)) {
            memory.too_much = Some(bytes);
            self.feed(Event::Outgrew { worker: look.worker }, now);
        }
        // What was large is over, or the worker is leaving anyway.
        let spared = self.workers.get(&look.worker).filter(|worker| !worker.is_killed);
        if let Some(body) = spared.and_then(|worker| worker.body.as_ref()) {
            body.page.resume();
        }
    }
}

impl Inner {
    /// How much the worker has, if that is too much.
    pub(super) fn look_at_once(&mut self, worker: WorkerId) -> Option<u64> {
        let memory = self.body(worker)?.memory.as_mut()?;
        memory.seen = memory.gauge.private_bytes()?;
        let seen = memory.seen;
        self.vigil.is_too_much(seen).then_some(seen)
    }

    /// The worker has been told to leave, and what it does now is nobody's.
    pub(super) fn look_away(&mut self, worker: WorkerId) {
        if let Some(body) = self.body(worker) {
            body.memory = None;
        }
    }

    /// How much the worker had when it was killed for that.
    pub(super) fn too_much(&self, worker: WorkerId) -> Option<u64> {
        self.workers.get(&worker)?.body.as_ref()?.memory.as_ref()?.too_much
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn vigil(limit: u64, cpus: usize) -> Vigil {
        Vigil::new(&Settings { memory_limit: Some(limit), ..Settings::default_for(cpus) })
    }

    #[test]
    fn leak_11_the_nearer_to_the_limit_the_sooner_is_the_next_look() {
        let vigil = vigil(1024 * MIB, 1);
        let pauses = [0, 900, 1000, 1020, 1024, 2000].map(|mib| vigil.pause(mib * MIB));
        assert!(pauses.is_sorted_by(|earlier, later| earlier >= later), "{pauses:?}");
        assert_eq!((pauses[0], pauses[4], pauses[5]), (LOOK_MAX, LOOK_MIN, LOOK_MIN));
        for (pause, left) in pauses.into_iter().zip([1024, 124, 24, 4]) {
            let grown = MEMORY_PER_CPU_US * u64::try_from(pause.as_micros()).unwrap();
            assert!(grown <= left * MIB || pause == LOOK_MIN, "{left} MiB may be full within {pause:?}");
        }
    }

    #[test]
    fn the_more_processors_can_fill_memory_the_sooner_is_the_next_look() {
        assert!(vigil(1024 * MIB, 64).pause(0) < vigil(1024 * MIB, 2).pause(0));
        assert_eq!(vigil(u64::MAX, 64).pause(0), LOOK_MAX);
    }

    #[test]
    fn a_pool_without_a_limit_never_looks() {
        let mut vigil = Vigil::new(&Settings::default_for(1));
        assert!(Memory::of(&vigil, std::process::id()).unwrap().is_none() && vigil.next().is_none());
        assert!(!vigil.is_too_much(u64::MAX));
        vigil.limit = Some(1);
        assert!(Memory::of(&vigil, u32::MAX).is_err(), "who cannot be watched is not started");
    }
}
