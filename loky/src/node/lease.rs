//! How long an agent may believe that it is one, and how long the driver's side believes it.
//!
//! An agent sends beats, and each one is echoed. The lease runs from the moment at which the agent *sent* the beat that was
//! echoed last: whoever counted from the echo's arrival would outlive the driver's patience by a journey. The driver's side
//! gives an agent up when it has heard no beat for longer than a lease lasts. It has heard a beat after it was sent, and
//! echoes only what it has heard; so an agent's lease is over before its calls can begin elsewhere, by the margin between
//! the two spans and whatever the network takes. Both spans come from the driver's side, so they cannot diverge.
//!
//! Moments are told to what stands here; they are those of a clock that also counts while the machine is suspended.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, as the time since the machine was started.
pub(super) type Moment = Duration;

/// How often an agent beats, after which silence it fences itself, and after which one it is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rhythm {
    pub(super) beat: Duration,
    pub(super) fence: Duration,
    pub(super) dead: Duration,
}

/// An agent's side.
#[derive(Debug)]
pub(super) struct Lease {
    rhythm: Rhythm,
    /// Beats that were sent and not echoed, with when; the oldest first. As many as fit into a lease.
    sent: VecDeque<(u64, Moment)>,
    next: u64,
    next_at: Moment,
    ends_at: Moment,
}

/// The driver's side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    rhythm: Rhythm,
    heard_at: Moment,
}

/// The shortest beat.
const BEAT_MIN: Duration = Duration::from_millis(500);

/// How many beats all agents together may send in a second: each costs the driver's side some ten microseconds.
const BEATS_PER_SECOND: u32 = 2_000;

/// In beats. The difference is the time in which an agent kills what it has.
const FENCE: u32 = 5;
const DEAD: u32 = 6;

impl Rhythm {
    /// For so many agents.
    pub(super) fn of(agents: usize) -> Self {
        let agents = u32::try_from(agents).unwrap_or(u32::MAX);
        let beat = BEAT_MIN.max(Duration::from_secs(1) * agents / BEATS_PER_SECOND);
        Self { beat, fence: beat * FENCE, dead: beat * DEAD }
    }

    /// Whether it can be kept: an agent that believed any other one would not be fenced in time.
    pub(super) fn is_sound(&self) -> bool {
        !self.beat.is_zero() && self.beat < self.fence && self.fence < self.dead
    }
}

impl Lease {
    /// Of an agent that has sent its hello then.
    pub(super) fn begin(rhythm: Rhythm, said_hello_at: Moment) -> Self {
        let ends_at = said_hello_at + rhythm.fence;
        Self { rhythm, sent: VecDeque::new(), next: 1, next_at: said_hello_at, ends_at }
    }

    /// The number of the beat to be sent now, if one is due.
    pub(super) fn beat(&mut self, now: Moment) -> Option<u64> {
        if now < self.next_at {
            return None;
        }
        let number = self.next;
        (self.next, self.next_at) = (number + 1, now + self.rhythm.beat);
        // What is older than a lease could not prolong it any more.
        self.sent.retain(|(_, at)| *at + self.rhythm.fence > now);
        self.sent.push_back((number, now));
        Some(number)
    }

    /// The driver's side has heard this beat.
    pub(super) fn echoed(&mut self, number: u64) {
        if let Some(place) = self.sent.iter().position(|(sent, _)| *sent == number) {
            self.ends_at = self.ends_at.max(self.sent[place].1 + self.rhythm.fence);
            self.sent.drain(..=place);
        }
    }

    pub(super) fn is_over(&self, now: Moment) -> bool {
        now >= self.ends_at
    }

    /// When something is to be done next.
    pub(super) fn next_at(&self) -> Moment {
        self.next_at.min(self.ends_at)
    }
}

impl Watch {
    /// Of an agent that was welcomed then.
    pub(super) const fn begin(rhythm: Rhythm, now: Moment) -> Self {
        Self { rhythm, heard_at: now }
    }

    pub(super) fn heard(&mut self, now: Moment) {
        self.heard_at = now;
    }

    /// When its lease is over for certain, if nothing is heard of it any more.
    pub(super) fn dead_at(&self) -> Moment {
        self.heard_at + self.rhythm.dead
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::worlds::Dice;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_few_agents_beat_twice_a_second_and_many_less_often() {
        assert_eq!(Rhythm::of(1), Rhythm { beat: ms(500), fence: ms(2500), dead: ms(3000) });
        assert_eq!(Rhythm::of(1000), Rhythm::of(0));
        assert_eq!(Rhythm::of(10_000), Rhythm { beat: ms(5000), fence: ms(25_000), dead: ms(30_000) });
        assert!([0, 7, 1500, 10_000, usize::MAX].into_iter().all(|agents| Rhythm::of(agents).is_sound()));
    }

    #[test]
    fn a_lease_runs_from_when_the_echoed_beat_was_sent() {
        let mut lease = Lease::begin(Rhythm::of(1), ms(1000));
        assert!(!lease.is_over(ms(3499)) && lease.is_over(ms(3500)));
        assert_eq!((lease.beat(ms(1000)), lease.beat(ms(1499)), lease.beat(ms(1500))), (Some(1), None, Some(2)));
        assert_eq!(lease.next_at(), ms(2000));
        lease.echoed(7);
        lease.echoed(2);
        assert!(!lease.is_over(ms(3999)) && lease.is_over(ms(4000)), "whenever the echo came");
        lease.echoed(1);
        assert!(lease.is_over(ms(4000)), "one that is older takes nothing back");
    }

    #[test]
    fn beats_that_nobody_echoes_are_not_kept_for_ever() {
        let mut lease = Lease::begin(Rhythm::of(1), ms(0));
        (0..1000).for_each(|beat| assert!(lease.beat(ms(500 * beat)).is_some()));
        assert!(lease.sent.len() <= 5);
    }

    /// Whatever is late or lost, on the way there or back: the agent's lease is over before it is given up.
    #[test]
    fn no_agent_outlives_the_patience_of_the_drivers_side() {
        for seed in 0..2000 {
            let (mut dice, rhythm) = (Dice::new(seed), Rhythm::of(1));
            let mut lease = Lease::begin(rhythm, ms(0));
            let mut watch = Watch::begin(rhythm, ms(dice.below(400)));
            let (mut there, mut back) = (Vec::new(), Vec::new());
            let lossy = dice.between(5, 95);
            for now in (0..60_000).step_by(50).map(ms) {
                let on_its_way = |dice: &mut Dice| {
                    let is_lost = dice.below(100) < lossy;
                    let late = [20, 200, 2900, 10_000][dice.below(4) as usize];
                    now + if is_lost { ms(1 << 40) } else { ms(dice.below(late)) }
                };
                if let Some(number) = lease.beat(now) {
                    there.push((on_its_way(&mut dice), number));
                }
                there.retain(|&(at, number)| {
                    let has_come = at <= now;
                    if has_come {
                        watch.heard(now);
                        back.push((on_its_way(&mut dice), number));
                    }
                    !has_come
                });
                back.retain(|&(at, number)| {
                    if at <= now {
                        lease.echoed(number);
                    }
                    at > now
                });
                if lease.is_over(now) {
                    break;
                }
                assert!(now < watch.dead_at(), "seed {seed}: at {now:?} it is given up, and its lease runs");
            }
        }
    }
}
