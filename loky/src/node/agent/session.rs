//! From the hello of an agent to the end of its link or of its lease.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answers::{Answers, News};
use super::hosted::Hosted;
use crate::cpu;
use crate::driver::{Driver, Order, Unheard};
use crate::error::{Error, ErrorKind};
use crate::identity;
use crate::node::lease::{Lease, Moment};
use crate::node::link::{Link, Stays};
use crate::node::message::{
    Answer, Hello, PoolId, Sign, Wish, Word, greeting, heard_of_pool, heard_short, of_pool, short,
};
use crate::node::pieces::{KNOWN, Lane, Message, Outgoing};
use crate::shared::segment::Segment;
use crate::supervisor::tree;
use crate::sys::clock;
use crate::sys::poll::{Interest, Poller};
use crate::sys::termination::Termination;
use crate::task::build;

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    outgoing: Outgoing,
    answers: Arc<Answers>,
    pools: HashMap<PoolId, Hosted>,
    /// What calls may enclose, by the numbers that the program has given.
    segments: HashMap<u64, Arc<Segment>>,
    /// From the welcome on.
    lease: Option<Lease>,
    said_hello_at: Moment,
    host: String,
    buffer: Vec<u8>,
    is_stuck: bool,
    /// Whether this process was asked to end.
    is_draining: bool,
    /// What has ended of what this process has adopted, and when to look again.
    ended: HashSet<u32>,
    reap_at: Moment,
}

/// How a session has ended.
#[derive(Debug)]
pub(super) enum End {
    /// The program has ended, or needs no agent any more.
    Over,
    Refused(String),
    /// Whoever listens there has not welcomed it, for this reason: it may be somebody else, or not ready yet.
    NotWelcome(io::Error),
    /// Nothing is heard of the driver's side.
    CutOff,
}

/// The token of the link.
const LINK: u64 = 1;

/// That of the signal.
const TERMINATION: u64 = 2;

/// How long the driver's side may take to welcome an agent.
const WELCOME_MAX: Duration = Duration::from_secs(30);

/// How often it is looked whether something has ended that was left to this process: whatever a worker has started and has
/// not outlived.
const REAP_EVERY: Duration = Duration::from_secs(1);

/// How long the last words of an agent may take.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// How long workers that were killed may take to be gone, before this process goes on without having seen it.
const BURIAL_MAX: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn begin(link: Link, node: u32, termination: &Termination) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&link, LINK, Interest::Read)?;
        poller.add(termination, TERMINATION, Interest::Read)?;
        let host = identity::host();
        let build = build().map_err(|why| io::Error::other(why.to_string()))?;
        let hello = Hello { build, host: host.clone(), pid: std::process::id(), cpus: cpu::cpu_count(), node };
        let mut outgoing = Outgoing::default();
        outgoing.push(Lane::Urgent, greeting(&hello));
        Ok(Self {
            link,
            outgoing,
            answers: Answers::new(poller),
            pools: HashMap::new(),
            segments: HashMap::new(),
            lease: None,
            said_hello_at: clock::since_boot(),
            host,
            buffer: Vec::new(),
            is_stuck: false,
            is_draining: false,
            ended: HashSet::new(),
            reap_at: Moment::ZERO,
        })
    }

    /// Serves until the end. An error is one of this side, or a word of the other side that is none.
    pub(super) fn run(&mut self, termination: &Termination) -> io::Result<End> {
        let end = self.serve(termination);
        match (&self.lease, end) {
            (None, Ok(End::Over)) => {
                Ok(End::NotWelcome(io::Error::other("the connection was closed before a welcome")))
            }
            (None, Ok(End::CutOff)) => Ok(End::NotWelcome(io::Error::other("nobody has welcomed it in time"))),
            (None, Err(why)) => Ok(End::NotWelcome(why)),
            (_, end) => end,
        }
    }

    fn serve(&mut self, termination: &Termination) -> io::Result<End> {
        loop {
            if !self.write()? {
                return Ok(End::Over);
            }
            let at = self.lease.as_ref().map_or(self.said_hello_at + WELCOME_MAX, Lease::next_at);
            let until = Instant::now() + at.saturating_sub(clock::since_boot());
            let ready = self.answers.poller.wait(Some(until))?;
            if ready.contains(&LINK) {
                if let Some(end) = self.hear()? {
                    return Ok(end);
                }
            }
            if ready.contains(&TERMINATION) && termination.has_come() {
                self.drain();
            }
            for news in self.answers.take() {
                self.tell(news);
            }
            if self.is_draining && self.pools.values().all(Hosted::is_idle) {
                return self.leave();
            }
            // What has come is heard before it is judged: the echo may have been there.
            if self.beat() {
                return Ok(End::CutOff);
            }
        }
    }

    /// Kills everything that was started here, and waits until it is gone.
    pub(super) fn fence(&mut self) {
        self.pools.values().for_each(Hosted::kill);
        tree::kill_own_descendants();
        self.pools.values().for_each(|pool| pool.wait(BURIAL_MAX));
        // What was started meanwhile.
        tree::kill_own_descendants();
        self.pools.clear();
    }

    /// Whether it was asked to end.
    pub(super) const fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// This machine is wanted for something else: what has not begun is given back, and what has is finished.
    fn drain(&mut self) {
        if !std::mem::replace(&mut self.is_draining, true) {
            self.outgoing.push(Lane::Urgent, short(&Sign::Draining));
            self.pools.values_mut().for_each(Hosted::give_back);
        }
    }

    /// Says that it has nothing any more, when that is so.
    fn leave(&mut self) -> io::Result<End> {
        self.fence();
        self.outgoing.push(Lane::Urgent, short(&Sign::Left));
        let until = Instant::now() + LEAVE_MAX;
        while self.write()? && self.is_stuck && Instant::now() < until {
            self.answers.poller.wait(Some(until))?;
        }
        Ok(End::Over)
    }

    /// Sends a beat if one is due. Returns whether the lease is over.
    fn beat(&mut self) -> bool {
        let now = clock::since_boot();
        let Some(lease) = &mut self.lease else { return now >= self.said_hello_at + WELCOME_MAX };
        if self.reap_at <= now {
            self.reap_at = now + REAP_EVERY;
            tree::reap_adopted(&mut self.ended);
        }
        if let Some(beat) = lease.beat(now) {
            self.outgoing.push(Lane::Urgent, short(&Sign::Beat(beat)));
        }
        lease.is_over(now)
    }

    /// Writes what the socket takes. `false`: the other side is gone.
    fn write(&mut self) -> io::Result<bool> {
        let outgoing = &mut self.outgoing;
        let Ok(is_all) = self.link.write(|to| outgoing.fill(to)) else { return Ok(false) };
        if self.is_stuck == is_all {
            let interest = if is_all { Interest::Read } else { Interest::ReadAndWrite };
            self.answers.poller.change(&self.link, LINK, interest)?;
            self.is_stuck = !is_all;
        }
        Ok(true)
    }

    fn hear(&mut self) -> io::Result<Option<End>> {
        let mut messages = Vec::new();
        let read = self.link.read(KNOWN, &mut self.buffer, |lane, bytes| {
            messages.push((lane, bytes));
            true
        });
        for (lane, bytes) in messages {
            let heard = match lane {
                Lane::Urgent => heard_short(&bytes).map(|word| self.heed(word)),
                Lane::Usual => heard_of_pool(&bytes).and_then(|(pool, wish, follow)| self.grant(pool, wish, follow)),
            };
            match heard {
                Some(None) => {}
                Some(end) => return Ok(end),
                None => return Err(io::Error::other("what its program says cannot be understood")),
            }
        }
        match read? {
            Stays::Open => Ok(None),
            Stays::Ended => Ok(Some(End::Over)),
        }
    }

    fn heed(&mut self, word: Word) -> Option<End> {
        match word {
            Word::Welcome(rhythm) if rhythm.is_sound() => {
                self.lease.get_or_insert_with(|| Lease::begin(rhythm, self.said_hello_at));
            }
            Word::Welcome(_) => return Some(End::Refused("its lease makes no sense".to_string())),
            Word::Echo(beat) => self.lease.iter_mut().for_each(|lease| lease.echoed(beat)),
            Word::Refused(why) => return Some(End::Refused(why)),
            Word::End => return Some(End::Over),
        }
        None
    }

    /// Does what is wanted. The outer `None`: it cannot be.
    fn grant(&mut self, pool: PoolId, wish: Wish, follow: &[u8]) -> Option<Option<End>> {
        match wish {
            Wish::Open(settings) => {
                let driver = Driver::new(settings.heard(cpu::cpu_count())?);
                self.pools.insert(pool, Hosted::new(pool, driver, Arc::clone(&self.answers)));
            }
            Wish::Give(number) => {
                // Without memory for it, calls that enclose it say so.
                self.segments.extend(Segment::arrived(number, follow).map(|segment| (number, segment)));
            }
            Wish::Forget(number) => _ = self.segments.remove(&number),
            Wish::Run { call, attempt, order } => {
                let order = match Order::heard(call, order, follow, |number| self.segments.get(&number).cloned()) {
                    Ok(order) => Ok(order),
                    Err(Unheard::Wrong) => return None,
                    Err(Unheard::Lacks) => Err(self.lacks()),
                };
                // A pool that is not here any more has no calls: the other side does not wait for an answer.
                if self.is_draining {
                    // It was under way when this side said so.
                    let back = of_pool(pool, &Answer::GivenBack { call, attempt }, []);
                    self.outgoing.push(Lane::Usual, back);
                } else if let Some(hosted) = self.pools.get_mut(&pool) {
                    hosted.run(call, attempt, order);
                }
            }
            wish => self.pools.get_mut(&pool).into_iter().for_each(|hosted| hosted.grant(&wish)),
        }
        Some(None)
    }

    /// Tells the other side what has happened here.
    fn tell(&mut self, news: News) {
        let message = match news {
            News::Done(pool, call, outcome) => self.done(pool, call, *outcome),
            News::Warm(pool) => Some(of_pool(pool, &Answer::Warm, [])),
            News::Closed(pool) => {
                self.pools.remove(&pool);
                Some(of_pool(pool, &Answer::Closed, []))
            }
        };
        message.into_iter().for_each(|message| self.outgoing.push(Lane::Usual, message));
    }

    fn lacks(&self) -> Error {
        let what =
            format!("did not run: there was no memory on {} for a `loky::Shared` among its arguments", self.host);
        Error::new(ErrorKind::OutOfResources, what)
    }

    fn done(&mut self, pool: PoolId, call: crate::ids::CallId, outcome: crate::driver::Outcome) -> Option<Message> {
        let (answer, follow) = self.pools.get_mut(&pool)?.answer(call, outcome, &self.host)?;
        Some(of_pool(pool, &answer, follow))
    }
}
