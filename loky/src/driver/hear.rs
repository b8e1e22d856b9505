//! Takes in what the poller reports of workers, and what they say first and last.

#[cfg(all(test, not(loom)))]
mod tests;

use std::io;
use std::time::Instant;

use super::background::Chore;
use super::evidence::LaunchFailure;
use super::given::Given;
use super::held::Held;
use super::inner::{Body, Inner, Worker};
use super::pipe::{Pipe, Tail};
use super::tokens::{INTERRUPT, Part, ZYGOTE, of_token, token};
use super::vigil::Memory;
use crate::config::DEATH_GRACE;
use crate::ids::WorkerId;
use crate::scheduler::Event;
use crate::supervisor::Launched;
use crate::sys::poll::{Interest, Poller};
use crate::sys::stdio::{STREAMS, Stream};
use crate::task;
use crate::transport::link::{Chime, Link, Rung};
use crate::wire::message::{Build, Hello};

impl Inner {
    /// The poller reports `token`.
    pub(super) fn hear(&mut self, token: u64, now: Instant) {
        match token {
            ZYGOTE => return self.hear_zygote(now),
            INTERRUPT => return self.hear_interrupt(now),
            _ => {}
        }
        match of_token(token) {
            (worker, Part::Link) => self.hear_link(worker, now),
            (worker, Part::Process) => self.hear_process(worker, now),
            (worker, Part::Output) => self.hear_output(worker, Stream::Output),
            (worker, Part::Error) => self.hear_output(worker, Stream::Error),
        }
    }

    /// A launch is through, or has failed.
    pub(super) fn hear_launch(&mut self, worker: WorkerId, launched: Result<Launched, String>, now: Instant) {
        let embodied = launched.and_then(|launched| self.embody(worker, launched));
        if let Err(why) = embodied {
            self.launch_failure = Some(LaunchFailure::Explained(why));
            self.workers.remove(&worker);
            self.feed(Event::LaunchFailed { worker }, now);
        }
    }

    fn embody(&mut self, id: WorkerId, launched: Launched) -> Result<(), String> {
        let chime = if self.duty.is_for_waiter() { Chime::Pool } else { Chime::Link };
        let memory = Memory::of(&self.vigil, launched.process.pid);
        let mut body = Body::new(launched, chime);
        match memory {
            Ok(memory) => body.memory = memory,
            Err(why) => {
                self.outbox.chores.push(Chore::Discard(body.process));
                return Err(why);
            }
        }
        let watched = self.poller.as_deref().map(|poller| body.enter(poller, id));
        let Some((worker, Ok(()))) = self.workers.get_mut(&id).zip(watched) else {
            self.outbox.chores.push(Chore::Discard(body.process));
            return Err("its descriptors cannot be watched".to_string());
        };
        // Others may have come or gone since it was welcomed.
        body.page.set_share(self.settings.share_among(self.scheduler.live()));
        worker.body = Some(body);
        if worker.is_killed {
            self.kill(id);
        }
        Ok(())
    }

    /// Bells tell nothing by themselves: what they ring for is looked at in every turn.
    fn hear_link(&mut self, worker: WorkerId, now: Instant) {
        let Some(body) = self.body(worker) else { return };
        match body.link.hear_bells() {
            Rung::Open => {}
            Rung::Closed => {
                while self.hear_frame(worker, now) {}
                self.hear_end(worker, now);
            }
            Rung::TooMuch => self.refuse(worker, "sent more descriptors than are awaited".to_string(), now),
        }
    }

    /// End of file: as a rule its process is just ending, and how it ended says more. One that lives on is killed
    /// after a while; one that has not said hello has until the hello limit.
    fn hear_end(&mut self, worker: WorkerId, now: Instant) {
        self.leave_link(worker);
        if self.workers.get(&worker).is_some_and(|worker| worker.has_said_hello) {
            self.silent.push((worker, now + DEATH_GRACE));
        }
    }

    /// When the first of the workers without a link has had its time to die.
    pub(super) fn next_silent(&self) -> Option<Instant> {
        self.silent.iter().map(|&(_, until)| until).min()
    }

    /// Tells of the workers without a link that have had their time to die.
    pub(super) fn end_silent(&mut self, now: Instant) {
        while let Some(place) = self.silent.iter().position(|&(_, until)| until <= now) {
            let (worker, _) = self.silent.swap_remove(place);
            if let Some(worker) = self.workers.get_mut(&worker) {
                worker.has_fallen_silent = !worker.is_killed;
            }
            self.feed(Event::LinkClosed { worker }, now);
        }
    }

    /// The worker says what no worker of ours would: nothing that it says is believed any more.
    pub(super) fn refuse(&mut self, id: WorkerId, why: String, now: Instant) {
        self.launch_failure = Some(LaunchFailure::Seen(format!("what was started {why}")));
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.refused_for = Some(why);
        }
        self.give_up(id, now);
    }

    /// Nothing that the worker says is heard any more.
    pub(super) fn give_up(&mut self, worker: WorkerId, now: Instant) {
        self.leave_link(worker);
        self.feed(Event::LinkClosed { worker }, now);
    }

    fn leave_link(&mut self, worker: WorkerId) {
        let poller = self.poller.clone();
        if let (Some(poller), Some(body)) = (poller, self.body(worker)) {
            body.link.close();
            // It may have been removed before; what matters is that it is not reported again.
            let _ = poller.remove(&body.link);
        }
    }

    /// Tasks are named by their places, which are others in another build.
    fn check_hello(&mut self, worker: WorkerId, theirs: Build, pid: u32) -> Result<(), &'static str> {
        if self.body(worker).is_none_or(|body| body.process.pid != pid) {
            return Err("is another process");
        }
        if self.workers.get(&worker).is_some_and(|worker| worker.has_said_hello) {
            return Err("says hello twice");
        }
        task::build().map_err(|_| "has tasks that cannot be told apart")?.check(theirs)
    }

    pub(super) fn hear_hello(&mut self, worker: WorkerId, Hello { build, pid }: Hello, now: Instant) {
        match self.check_hello(worker, build, pid) {
            Ok(()) => self.greet(worker, now),
            Err(why) => self.refuse(worker, format!("is not a worker of this program: it {why}"), now),
        }
    }

    fn greet(&mut self, worker: WorkerId, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.has_said_hello = true;
        }
        self.initialize(worker, 0, now);
    }
}

impl Body {
    fn new(launched: Launched, chime: Chime) -> Self {
        Self {
            process: std::sync::Arc::new(launched.process),
            link: Link::new(launched.link, &launched.page, chime),
            #[cfg(feature = "tracing")]
            ear: super::notes::Ear::new(&launched.page),
            page: launched.page,
            given: Given::default(),
            held: Held::default(),
            enclosed: Vec::new(),
            pipes: [Pipe::new(launched.output), Pipe::new(Some(launched.error))],
            lines: Default::default(),
            tail: Tail::default(),
            memory: None,
            exit: None,
            oom_witness: None,
        }
    }

    /// Is reported by the poller from now on.
    fn enter(&self, poller: &Poller, worker: WorkerId) -> io::Result<()> {
        poller.add(&self.link, token(worker, Part::Link), Interest::Read)?;
        poller.add_urgent(&*self.process, token(worker, Part::Process))?;
        for stream in STREAMS {
            if let Some(fd) = self.pipes[stream as usize].fd() {
                poller.add(fd, token(worker, Part::of(stream)), Interest::Read)?;
            }
        }
        Ok(())
    }

    /// Is reported by the poller no more, even if somebody still holds the process.
    pub(super) fn leave(&self, poller: &Poller) {
        // Each may have left before.
        let _ = (poller.remove(&self.link), poller.remove_urgent(&*self.process));
        for fd in self.pipes.iter().filter_map(Pipe::fd) {
            let _ = poller.remove(fd);
        }
    }
}

impl Worker {
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.body.as_ref()?.process.pid)
    }
}
