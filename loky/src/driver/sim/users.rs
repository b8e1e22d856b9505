//! What the users of a pool do in a world: they spawn, wait, give up, resize and shut down, by what the driver has for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::ledger::{CallRecord, Handle, ItemRecord, PLACE_LEN};
use super::tally::Sight;
use super::weather::{Weather, task};
use super::world::{Happening, World};
use crate::config::{HELLO_LIMIT, KILL_GRACE, LAUNCH_PAUSE, Output, STOP_GRACE};
use crate::driver::lengths::Lengths;
use crate::driver::{Items, Landing, Limits, Order, OutcomeCell};
use crate::ids::CallKey;
use crate::oneshot::{Cell, Watcher};
use crate::shared::Shared;
use crate::shared::passing::{Enclosed, Way, collecting};
use crate::shared::segment::Core;
use crate::sys::row::Row;
use crate::wire::body::{Encoded, ROW_MIN, RowPlace};
use crate::wire::codec;

/// What they have still to do.
pub(super) struct Users {
    pub(super) deeds_left: u64,
    pub(super) shutdown: Option<Instant>,
    pub(super) forced: Option<Instant>,
    /// How many workers had been asked for when the shutdown was.
    launched_before: usize,
    pub(super) warm_ups: Vec<Arc<Cell<()>>>,
    /// What calls may enclose, now and again the same.
    shareds: Vec<Shared<u8>>,
    /// All that there ever were.
    pub(super) segments: Vec<Weak<Core>>,
    /// Set when there may be room for the call that somebody wants to spawn.
    waits_for_room: Option<(usize, Arc<AtomicBool>)>,
}

impl Users {
    pub(super) const fn new(weather: &Weather) -> Self {
        Self {
            deeds_left: weather.deeds,
            shutdown: None,
            forced: None,
            launched_before: 0,
            warm_ups: Vec::new(),
            shareds: Vec::new(),
            segments: Vec::new(),
            waits_for_room: None,
        }
    }

    /// For how many bytes somebody waits to have room who was not told.
    pub(super) fn wait_for_room(&self) -> Option<usize> {
        let waiting = self.waits_for_room.as_ref().filter(|(_, told)| !told.load(Ordering::Relaxed));
        waiting.map(|&(bytes, _)| bytes)
    }
}

/// So long is an argument that ends in a long row, at least: so is a result that is not much shorter.
const ROW_LEN_MIN: u64 = 3 * ROW_MIN as u64 / 2;

/// The arguments of a call, as they are when the row in them was given away.
fn encoded(mut bytes: Vec<u8>, row: Option<RowPlace>, enclosed: Enclosed) -> Encoded {
    let tail = row.map(|_| Box::new(Row::from(bytes.split_off(PLACE_LEN)).expect("bytes are numbers")));
    Encoded { bytes, row, tail, enclosed }
}

impl World {
    pub(super) fn deed(&mut self) {
        if self.users.deeds_left == 0 {
            let wait = self.dice.wait(0, 300);
            return self.plan(Happening::ShutdownAsked, wait);
        }
        self.users.deeds_left -= 1;
        let wait = self.dice.moment(self.weather.gap_us);
        self.plan(Happening::Deed, wait);
        let Weather { cancels, asks, lets_go, watches, resizes, waiters, .. } = self.weather;
        let is_drawn = [cancels, asks, lets_go, watches, resizes, waiters].map(|odds| self.dice.chance(odds));
        let [cancels, asks, lets_go, watches, resizes, waiters] = is_drawn;
        let any = self.any_open();
        match any {
            Some(serial) if cancels => self.cancel(serial),
            Some(serial) if asks => self.ask_to_end(serial),
            Some(serial) if lets_go => self.let_go(serial),
            Some(serial) if watches => self.watch(serial),
            Some(serial) if waiters => self.waiter_comes(serial),
            _ if resizes => {
                let target = self.dice.between(1, 5) as usize;
                self.settings.workers = target;
                self.driver.resize(target);
            }
            _ if self.dice.chance(50) => self.look(),
            _ if self.dice.chance(50) => {
                self.users.warm_ups.push(self.driver.warm_up().expect("this process has forked nothing"));
            }
            _ => (0..=self.dice.below(self.weather.crowd)).for_each(|_| self.submit()),
        }
    }

    fn any_open(&mut self) -> Option<usize> {
        let open = &self.ledger.open;
        (!open.is_empty()).then(|| open[self.dice.below(open.len() as u64) as usize])
    }

    fn cancel(&mut self, serial: usize) {
        self.ledger.calls[serial].is_given_up = true;
        self.driver.cancel(self.ledger.calls[serial].key);
    }

    fn ask_to_end(&mut self, serial: usize) {
        self.ledger.calls[serial].is_given_up = true;
        let grace = self.dice.wait(0, 50);
        self.driver.ask_to_end(self.ledger.calls[serial].key, grace);
    }

    /// What a call prints whose handle is gone would appear on this program's own streams.
    fn let_go(&mut self, serial: usize) {
        let call = &mut self.ledger.calls[serial];
        if self.settings.output != Output::Capture && matches!(call.handle, Handle::Held) {
            call.handle = Handle::Gone;
            self.driver.let_go(call.key);
        }
    }

    fn watch(&mut self, serial: usize) {
        let (open, some) = (&self.ledger.open, 1 + self.dice.below(12) as usize);
        let from = open.iter().position(|&open| open == serial).expect("it is open");
        let awaited = open[from..].iter().take(some).map(|&serial| self.ledger.calls[serial].key);
        self.driver.await_calls(awaited);
        let call = &mut self.ledger.calls[serial];
        if !matches!(call.handle, Handle::Held) || self.dice.chance(500) {
            return;
        }
        match self.driver.claim(call.key).expect("the handle has taken nothing") {
            Landing::Cell(cell) => call.handle = Handle::Cell(cell),
            Landing::Here(outcome) => self.judge(serial, *outcome),
        }
    }

    fn look(&self) {
        let stats = self.driver.stats();
        assert_eq!(stats.queued + stats.running, self.driver.inner.lock().calls.len());
    }

    pub(super) fn submit(&mut self) {
        if self.users.wait_for_room().is_some() {
            return;
        }
        let serial = self.ledger.calls.len();
        let (order, mut call) = self.draw_call(serial);
        let (bytes, cell) =
            (order.bytes(), matches!(call.handle, Handle::Cell(_)).then(OutcomeCell::new).map(Arc::new));
        let submitted = self.driver.submit(&mut Some(order), cell.as_ref(), true);
        match submitted {
            Some(key) => {
                call.key = key.expect("this process has forked nothing");
                if let Some(cell) = cell {
                    call.handle = Handle::Cell(cell);
                }
                self.ledger.calls.push(call);
                self.ledger.open.push(serial);
                self.tally.saw(Sight::Submitted);
            }
            None => {
                self.tally.saw(Sight::NoRoom);
                let told = Arc::new(AtomicBool::new(false));
                let hook = Arc::clone(&told);
                let watcher = || Some(Watcher::Hook(Box::new(move || hook.store(true, Ordering::Relaxed))));
                let has_room = self.driver.has_room(bytes, watcher);
                self.users.waits_for_room = (!has_room).then_some((bytes, told));
            }
        }
    }

    fn draw_call(&mut self, serial: usize) -> (Order, CallRecord) {
        let is_chunk = self.dice.chance(self.weather.chunks);
        let count = if is_chunk { self.dice.between(1, 9) as usize } else { 1 };
        let is_alike = self.dice.chance(500);
        let first = if is_chunk { self.draw_item() } else { self.draw_single() };
        let items: Vec<_> = (0..count).map(|_| if is_alike { first.clone() } else { self.draw_item() }).collect();
        let drawn = self.weather.draw_limits(&mut self.dice);
        // Nobody can say of many items when each of them is to begin.
        let limits = if is_chunk { Limits { queue_timeout: None, deadline: None, ..drawn } } else { drawn };
        let (mut bytes, mut lengths) = (Vec::new(), Lengths::default());
        for (item, record) in items.iter().enumerate() {
            bytes.extend(record.arguments(serial, item));
            lengths.push(record.argument_len);
        }
        let shared = self.draw_shared();
        let encloses = shared.iter().filter_map(|shared| shared.segment()).map(|segment| segment.id()).collect();
        let encode =
            || shared.iter().for_each(|shared| codec::encode_into(&mut Vec::new(), shared).expect("it is short"));
        let (_, enclosed) = collecting(Way::Arguments, encode);
        let items_of_order = if count > 1 { Items::Many(Box::new(lengths)) } else { Items::One };
        let payload = encoded(bytes, items[0].row(), enclosed).into();
        let order = Order::new(task(), payload, items_of_order, limits);
        let is_late = self.users.shutdown.is_some();
        let call = CallRecord {
            key: CallKey::nowhere(),
            items,
            limits,
            bytes: order.bytes(),
            at: self.now,
            // Where it lands is known when it is submitted.
            handle: if is_chunk { Handle::Cell(Arc::new(OutcomeCell::new())) } else { Handle::Held },
            encloses,
            is_late,
            is_given_up: false,
            runner: None,
            runners: Vec::new(),
            ended_running: 0,
            ended_before: 0,
            abandoned: 0,
            printed: Vec::new(),
            left_alone_from: None,
            is_over: false,
        };
        let order = if is_chunk { order.into_chunk(0) } else { order };
        (if is_chunk && self.weather.breaks_off > 0 { order.that_may_break_off() } else { order }, call)
    }

    fn draw_item(&mut self) -> ItemRecord {
        let most = if self.weather.is_fat && self.dice.chance(150) { 1_300_000 } else { 90 };
        let (argument_len, result_len) = (self.dice.between(8, most) as usize, self.dice.between(8, most) as usize);
        ItemRecord { argument_len, result_len, is_row: false, begun: 0, answered: None, has_enclosed: false }
    }

    /// The item of a call that has only this one.
    fn draw_single(&mut self) -> ItemRecord {
        if !self.dice.chance(self.weather.rows) {
            return self.draw_item();
        }
        let argument_len = self.dice.between(ROW_LEN_MIN, 4 * ROW_LEN_MIN) as usize;
        let result_len = argument_len * self.dice.between(70, 130) as usize / 100;
        ItemRecord { argument_len, result_len, is_row: true, begun: 0, answered: None, has_enclosed: false }
    }

    /// Something that users may hold on to, and may have sent before.
    fn draw_shared(&mut self) -> Vec<Shared<u8>> {
        let mut drawn = Vec::new();
        while self.dice.chance(self.weather.encloses) && drawn.len() < 6 {
            let news = if self.weather.is_narrow { 900 } else { 300 };
            if self.users.shareds.len() < 4 || self.dice.chance(news) {
                self.users.shareds.truncate(3);
                let shared = Shared::from_slice(&[7; 64]);
                self.users.segments.extend(shared.segment().map(|segment| Arc::downgrade(segment.core())));
                self.users.shareds.insert(0, shared);
            }
            let place = self.dice.below(self.users.shareds.len() as u64) as usize;
            drawn.push(self.users.shareds[place].clone());
        }
        drawn
    }

    pub(super) fn ask_shutdown(&mut self) {
        let is_forced = self.dice.chance(250);
        self.users.shutdown = Some(self.now);
        self.users.launched_before = self.puppets.len();
        self.users.forced = is_forced.then_some(self.now);
        self.driver.ask_shutdown(is_forced);
        self.submit();
        self.users.shareds.clear();
        if !self.weather.is_calm() {
            let wait = self.dice.wait(0, 1_000);
            self.plan(Happening::PatienceEnds, wait);
        }
    }

    pub(super) fn patience_ends(&mut self) {
        self.users.forced = Some(self.now);
        self.driver.ask_shutdown(true);
    }

    /// The user of this call takes its outcome, if it is there.
    pub(super) fn collect(&mut self, serial: usize) {
        let call = &self.ledger.calls[serial];
        if call.is_over {
            return;
        }
        let outcome = match &call.handle {
            Handle::Held if self.driver.has_outcome(call.key) => match self.driver.claim(call.key) {
                Some(Landing::Here(outcome)) => Some(outcome),
                Some(Landing::Cell(cell)) => cell.take(),
                None => panic!("an outcome that is there is had"),
            },
            Handle::Held | Handle::Gone => None,
            Handle::Cell(cell) => cell.take(),
        };
        if let Some(outcome) = outcome {
            self.judge(serial, *outcome);
        }
    }

    /// How long a shutdown may take that is not forced: each launch since may have come to nothing, after all the time
    /// that it may take.
    pub(super) fn patience(&self) -> Duration {
        let launches = self.users.launched_before.abs_diff(self.puppets.len()) + self.settings.workers;
        let launches = u32::try_from(launches).expect("few workers");
        launches * (HELLO_LIMIT + LAUNCH_PAUSE) + STOP_GRACE + 2 * KILL_GRACE
    }

    pub(super) fn is_later_than(&self, moment: Option<Instant>, wait: Duration) -> bool {
        moment.is_some_and(|at| self.now > at + wait)
    }
}
