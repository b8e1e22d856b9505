//! Takes in what workers say and how they end. Everything a worker sends is checked: it may be damaged, and then it
//! may say anything.

#[cfg(all(test, not(loom)))]
mod tests;

use std::io;
use std::time::{Duration, Instant};

use super::background::Chore;
use super::evidence;
use super::inner::{Body, Inner, Worker};
use super::order::Item;
use super::pipe::{Pipe, Tail};
use super::tokens::{Part, ZYGOTE, of_token, token};
use crate::identity;
use crate::ids::{Attempt, CallId, WorkerId};
use crate::scheduler::{Event, Try};
use crate::supervisor::Launched;
use crate::sys::poll::{Interest, Poller};
use crate::sys::process::{Exit, SIGKILL};
use crate::sys::stdio::{STREAMS, Stream};
use crate::task;
use crate::transport::link::Link;
use crate::wire::frame::{Found, Frame};
use crate::wire::message::{Build, FromWorker, ToWorker, Verdict, Welcome};

/// Frames taken from one link before the others have their turn.
const FRAMES_IN_A_ROW_MAX: usize = 64;

/// Which item of which call an answer is for.
struct Answer {
    worker: WorkerId,
    call: CallId,
    attempt: Attempt,
    item: u32,
    ran: Duration,
}

impl Inner {
    /// The poller reports `token`.
    pub(super) fn hear(&mut self, token: u64, now: Instant) {
        if token == ZYGOTE {
            return self.hear_zygote(now);
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
            self.launch_failure = Some(why);
            self.workers.remove(&worker);
            self.feed(Event::LaunchFailed { worker }, now);
        }
    }

    fn embody(&mut self, id: WorkerId, launched: Launched) -> Result<(), String> {
        let body = Body::new(launched);
        let watched = self.poller.as_deref().map(|poller| body.enter(poller, id));
        let Some((worker, Ok(()))) = self.workers.get_mut(&id).zip(watched) else {
            self.outbox.chores.push(Chore::Discard(body.process));
            return Err("its descriptors cannot be watched".to_string());
        };
        worker.body = Some(body);
        if worker.is_killed {
            self.kill(id);
        } else {
            self.welcome(id);
        }
        Ok(())
    }

    fn welcome(&mut self, worker: WorkerId) {
        let index = self.workers.get(&worker).map_or(0, |worker| worker.index);
        let Ok(build) = task::build() else { unreachable!("no task is found in a registry that is none") };
        let welcome = Welcome {
            build,
            parent: std::process::id(),
            pool: self.settings.name.clone(),
            index,
            depth: identity::depth() + 1,
        };
        self.say(worker, &ToWorker::Welcome(welcome));
    }

    fn hear_link(&mut self, worker: WorkerId, now: Instant) {
        self.flush(worker);
        for _ in 0..FRAMES_IN_A_ROW_MAX {
            if !self.hear_frame(worker, now) {
                return;
            }
        }
    }

    /// Takes one frame in. `false`: there is none for now.
    fn hear_frame(&mut self, worker: WorkerId, now: Instant) -> bool {
        let Some(body) = self.body(worker) else { return false };
        match body.link.receive() {
            Ok(Found::Frame(frame)) => {
                self.hear_message(worker, frame, now);
                return true;
            }
            Ok(Found::More | Found::Blocked) => {}
            Ok(Found::Closed { .. }) => self.hear_end(worker, now),
            Err(why) => self.refuse(worker, format!("a worker sent nonsense: {why}"), now),
        }
        false
    }

    /// End of file. Of a worker that has not said hello, how it ended says more, and the hello limit bounds the wait for
    /// that.
    fn hear_end(&mut self, worker: WorkerId, now: Instant) {
        self.leave_link(worker);
        if self.workers.get(&worker).is_some_and(|worker| worker.has_said_hello) {
            self.feed(Event::LinkClosed { worker }, now);
        }
    }

    /// The worker says what no worker of ours would: nothing that it says is believed any more.
    fn refuse(&mut self, worker: WorkerId, why: String, now: Instant) {
        self.leave_link(worker);
        self.launch_failure = Some(why);
        self.feed(Event::LinkClosed { worker }, now);
    }

    fn leave_link(&mut self, worker: WorkerId) {
        let poller = self.poller.clone();
        if let (Some(poller), Some(body)) = (poller, self.body(worker)) {
            // It may have been removed before; what matters is that it is not reported again.
            let _ = poller.remove(&body.link);
        }
    }

    /// Tasks are named by their places, which are others in another build.
    fn check_hello(&mut self, worker: WorkerId, theirs: Build, pid: u32) -> Result<(), &'static str> {
        if self.body(worker).is_none_or(|body| body.process.pid != pid) {
            return Err("is another process");
        }
        task::build().map_err(|_| "has tasks that cannot be told apart")?.check(theirs)
    }

    fn hear_message(&mut self, worker: WorkerId, frame: Frame<FromWorker>, now: Instant) {
        match frame.message {
            FromWorker::Hello { build, pid } => match self.check_hello(worker, build, pid) {
                Ok(()) => self.greet(worker, now),
                Err(why) => {
                    self.refuse(worker, format!("what was started is not a worker of this program: it {why}"), now)
                }
            },
            FromWorker::Returned { call, attempt, item, nanos, verdict } => {
                let answer = Answer { worker, call, attempt, item, ran: Duration::from_nanos(nanos) };
                self.hear_answer(&answer, verdict, frame.payload, now);
            }
        }
    }

    fn greet(&mut self, worker: WorkerId, now: Instant) {
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.has_said_hello = true;
        }
        self.launch_failure = None;
        self.feed(Event::WorkerReady { worker }, now);
    }

    fn hear_answer(&mut self, answer: &Answer, verdict: Verdict, payload: Vec<u8>, now: Instant) {
        let &Answer { worker, call, attempt, item, ran } = answer;
        if !self.scheduler.is_awaited(worker, call, attempt) {
            return;
        }
        self.hear_all_output(worker);
        if self.scheduler.is_doomed(call) {
            return self.hear_late_answer(answer, now);
        }
        let Some(pending) = self.calls.get(&call).filter(|pending| pending.done.len() == item as usize) else { return };
        let result = match verdict {
            Verdict::Value => Ok(payload),
            verdict => Err(evidence::answered(self, pending, worker, attempt, verdict)),
        };
        let pending = self.calls.get_mut(&call).expect("it was there a moment ago");
        pending.done.push(Item { result, ran });
        let is_last = pending.done.len() == pending.order.lengths.len();
        let event = if is_last {
            Event::Returned { worker, call, attempt }
        } else {
            Event::Progressed { worker, call, attempt }
        };
        self.feed(event, now);
    }

    /// The item's time was over before its answer came, so it counts as not done. Its worker is being killed.
    fn hear_late_answer(&mut self, answer: &Answer, now: Instant) {
        let &Answer { worker, call, attempt, item, .. } = answer;
        if self.calls.get(&call).is_some_and(|pending| item as usize + 1 == pending.order.lengths.len()) {
            self.feed(Event::Returned { worker, call, attempt }, now);
        }
    }

    /// Gives calls of many items their due: a run limit is that of one item, and the answer that ends one may be on its
    /// way while the next one has begun. That one must not be killed for the other.
    pub(super) fn excuse_progress(&mut self, now: Instant) {
        let overrunning = self.scheduler.overrunning(now);
        let is_any = !overrunning.is_empty();
        for (call, Try { worker, attempt }) in overrunning {
            let Some(pending) = self.calls.get(&call) else { continue };
            let awaited = pending.done.len() as u64;
            let Some(body) = self.workers.get(&worker).and_then(|worker| worker.body.as_ref()) else { continue };
            body.page.halt();
            let (begun, item) = body.page.begun();
            if begun == call.raw() && item > awaited {
                body.page.resume();
                self.feed(Event::Progressed { worker, call, attempt }, now);
            }
        }
        if is_any {
            // At once: were an answer heard between the halt and the end of its call, the worker would stay halted.
            self.scheduler.handle_timeout(now);
            self.perform_all();
        }
    }

    fn hear_process(&mut self, worker: WorkerId, now: Instant) {
        let Some(exit) = self.body(worker).and_then(|body| body.process.try_reap()) else { return };
        self.bury(worker, exit, now);
    }

    /// The process is gone. First everything that it had written is read: a result that made it out counts.
    fn bury(&mut self, id: WorkerId, exit: Exit, now: Instant) {
        self.counters.deaths += 1;
        while self.hear_frame(id, now) {}
        self.hear_last_output(id);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(body) = &mut worker.body else { return };
        body.exit = Some(exit);
        if let Some(poller) = &self.poller {
            body.leave(poller);
        }
        let begun = body.page.begun();
        let is_early = !worker.has_said_hello && !worker.is_killed;
        if is_early {
            self.launch_failure = Some(evidence::death_at_start(self, id, exit));
        }
        let begun = self.still_running(begun);
        let event = match exit {
            Exit::Signal(SIGKILL) if is_early => Event::LaunchCutShort { worker: id },
            _ => Event::WorkerDied { worker: id, begun },
        };
        self.feed(event, now);
        self.workers.remove(&id);
        if exit == Exit::Code(0) {
            self.rest_nursery();
        }
    }

    /// Which call was running, if the last item that was begun is `item` of `call`: an item whose answer has arrived is
    /// over, and the next one had not begun.
    fn still_running(&self, (call, item): (u64, u64)) -> Option<CallId> {
        let call = CallId::from_raw(call);
        let pending = self.calls.get(&call)?;
        (pending.done.len() as u64 == item).then_some(call)
    }
}

impl Body {
    fn new(launched: Launched) -> Self {
        Self {
            process: std::sync::Arc::new(launched.process),
            link: Link::new(launched.link),
            page: launched.page,
            pipes: [Pipe::new(launched.output), Pipe::new(Some(launched.error))],
            tail: Tail::default(),
            is_writing: false,
            exit: None,
        }
    }

    /// Is reported by the poller from now on.
    fn enter(&self, poller: &Poller, worker: WorkerId) -> io::Result<()> {
        poller.add(&self.link, token(worker, Part::Link), Interest::Read)?;
        poller.add(&*self.process, token(worker, Part::Process), Interest::Read)?;
        for stream in STREAMS {
            if let Some(fd) = self.pipes[stream as usize].fd() {
                poller.add(fd, token(worker, Part::of(stream)), Interest::Read)?;
            }
        }
        Ok(())
    }

    /// Is reported by the poller no more, even if somebody still holds the process.
    fn leave(&self, poller: &Poller) {
        // Each may have left before.
        let _ = (poller.remove(&self.link), poller.remove(&*self.process));
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
