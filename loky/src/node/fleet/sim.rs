//! A fleet in a world of agents that are made up: they answer, give back, fall silent and are lost, as dice say, and after
//! every step the whole state is held against what the world knows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::worlds::Dice;

/// What is true, whatever the fleet believes.
struct World {
    dice: Dice,
    fleet: Fleet,
    now: Moment,
    /// What each agent has, in which attempt; those that are silent among them.
    agents: BTreeMap<AgentId, BTreeMap<CallId, u32>>,
    silent: BTreeSet<AgentId>,
    /// Of each call that has not ended: what it was submitted with, and how many agents were lost with it.
    open: BTreeMap<CallId, (Terms, u32)>,
    given_up: BTreeSet<CallId>,
    ended: BTreeSet<CallId>,
    recalls: BTreeSet<(AgentId, CallId)>,
    next: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            fleet: Fleet::new(Duration::from_secs(10), Moment::ZERO),
            now: Moment::ZERO,
            agents: BTreeMap::new(),
            silent: BTreeSet::new(),
            open: BTreeMap::new(),
            given_up: BTreeSet::new(),
            ended: BTreeSet::new(),
            recalls: BTreeSet::new(),
            next: 1,
        }
    }

    fn step(&mut self) {
        self.now += self.dice.moment(20_000);
        match self.dice.below(20) {
            0..6 => self.submit(),
            6..14 => self.answer(),
            14 => self.join(),
            15 => self.fall_silent(),
            16 => self.lose(),
            17 => self.give_up(),
            18 => self.give_back(),
            _ => self.lie(),
        }
        if self.fleet.next_timeout().is_some_and(|at| at <= self.now) {
            self.fleet.handle_timeout(self.now);
        }
        self.perform();
        self.audit();
    }

    fn submit(&mut self) {
        let call = CallId::from_raw(self.next);
        self.next += 1;
        let by = |dice: &mut Dice, now: Moment| dice.chance(100).then(|| now + dice.wait(1, 500));
        let terms = Terms {
            priority: self.dice.below(3) as i32 - 1,
            retries: self.dice.below(3) as u32,
            start_by: by(&mut self.dice, self.now),
            end_by: by(&mut self.dice, self.now),
        };
        self.open.insert(call, (terms, 0));
        self.fleet.submit(call, terms, self.now);
    }

    fn join(&mut self) {
        if self.agents.len() < 6 {
            let agent = AgentId(self.next);
            self.next += 1;
            self.agents.insert(agent, BTreeMap::new());
            self.fleet.joined(agent, self.dice.between(1, 4) as usize, self.now);
        }
    }

    fn any_agent(&mut self) -> Option<AgentId> {
        let place = self.dice.below(self.agents.len().max(1) as u64) as usize;
        self.agents.keys().nth(place).copied()
    }

    fn any_held(&mut self) -> Option<(AgentId, CallId, u32)> {
        let agent = self.any_agent()?;
        let held = &self.agents[&agent];
        let place = self.dice.below(held.len().max(1) as u64) as usize;
        held.iter().nth(place).map(|(&call, &attempt)| (agent, call, attempt))
    }

    fn answer(&mut self) {
        let Some((agent, call, attempt)) = self.any_held() else { return };
        self.agents.get_mut(&agent).unwrap().remove(&call);
        assert!(self.fleet.answered(agent, call, attempt, self.now), "an answer of whoever has the call counts");
        self.end(call);
    }

    fn give_back(&mut self) {
        let Some(&(agent, call)) = self.recalls.iter().next() else { return };
        self.recalls.remove(&(agent, call));
        let Some(attempt) = self.agents.get_mut(&agent).and_then(|held| held.remove(&call)) else { return };
        assert!(self.fleet.given_back(agent, call, attempt, self.now));
    }

    /// Somebody answers what it does not have.
    fn lie(&mut self) {
        let call = CallId::from_raw(self.dice.between(1, self.next));
        let agent = AgentId(self.dice.between(1, self.next));
        let attempt = self.dice.between(1, 4) as u32;
        let has = self.agents.get(&agent).and_then(|held| held.get(&call)) == Some(&attempt);
        if !has {
            assert!(!self.fleet.answered(agent, call, attempt, self.now), "it does not have the call in that attempt");
            assert!(!self.fleet.given_back(agent, call, attempt, self.now));
        }
    }

    fn fall_silent(&mut self) {
        if let Some(agent) = self.any_agent() {
            self.silent.insert(agent);
            self.fleet.closed(agent, self.now);
        }
    }

    fn lose(&mut self) {
        let Some(agent) = self.any_agent() else { return };
        let held = self.agents.remove(&agent).unwrap();
        self.silent.remove(&agent);
        for (call, attempt) in held {
            if let Some((terms, lost)) = self.open.get_mut(&call) {
                *lost += 1;
                // It has been kept.
                terms.start_by = None;
                assert_eq!(*lost, attempt, "each lost agent is an attempt");
            }
        }
        self.fleet.lost(agent, self.now);
    }

    fn give_up(&mut self) {
        let place = self.dice.below(self.open.len().max(1) as u64) as usize;
        let Some(&call) = self.open.keys().nth(place) else { return };
        let is_first = self.given_up.insert(call);
        assert_eq!(self.fleet.cancel(call, self.now), is_first);
    }

    fn end(&mut self, call: CallId) {
        assert!(self.open.remove(&call).is_some(), "a call ends once");
        assert!(self.ended.insert(call));
    }

    fn perform(&mut self) {
        while let Some(action) = self.fleet.next_action() {
            match action {
                Action::Send { call, agent, attempt } => {
                    assert!(!self.silent.contains(&agent), "who is silent is given nothing");
                    assert!(!self.given_up.contains(&call), "what was given up goes nowhere");
                    let elsewhere = self.agents.values().any(|held| held.contains_key(&call));
                    assert!(!elsewhere, "{call} is in one place at a time");
                    assert_eq!(attempt, self.open[&call].1 + 1);
                    self.agents.get_mut(&agent).expect("it is there").insert(call, attempt);
                }
                Action::Cancel { call, agent } => {
                    // The agent kills it, and answers.
                    let attempt = self.agents.get_mut(&agent).unwrap().remove(&call).expect("it has the call");
                    assert!(self.fleet.answered(agent, call, attempt, self.now));
                    self.end(call);
                }
                Action::Recall { call, agent } => _ = self.recalls.insert((agent, call)),
                Action::Settle { call, why } => {
                    let held = self.agents.values().any(|held| held.contains_key(&call));
                    assert!(!held, "a call that an agent has ends by its answer");
                    if let Why::NodeLost { attempt, .. } = why {
                        let (terms, lost) = self.open[&call];
                        assert_eq!(
                            (attempt, lost),
                            (terms.retries + 1, terms.retries + 1),
                            "retries are used up first"
                        );
                    }
                    self.end(call);
                }
            }
        }
    }

    fn audit(&self) {
        let with_agents: usize = self.agents.values().map(BTreeMap::len).sum();
        assert_eq!(self.fleet.open(), self.open.len());
        assert_eq!(self.fleet.row.len() + with_agents, self.open.len(), "each call is in the row or with an agent");
        let idle = self.fleet.ready.first().is_some();
        assert!(!idle || self.fleet.row.is_empty(), "nobody waits while somebody may be given more");
        let waits = self.fleet.row.values().any(|call| self.open[call].0.first_end().is_some_and(|at| at <= self.now));
        assert!(!waits, "limits of time are kept");
        let ahead: usize = self.fleet.agents.values().map(|agent| agent.ahead().len()).sum();
        assert_eq!(self.fleet.queued(), self.fleet.row.len() + ahead);
    }
}

#[test]
fn every_call_ends_once_and_is_in_one_place_whatever_happens_to_agents() {
    for seed in 0..100 {
        let mut world = World::new(seed);
        (0..600).for_each(|_| world.step());
        world.fleet.shut_down(false);
        world.join();
        while !world.open.is_empty() {
            world.answer();
            world.perform();
            world.now += Duration::from_millis(5);
            world.fleet.handle_timeout(world.now);
            world.perform();
            if world.agents.values().all(BTreeMap::is_empty) && !world.open.is_empty() {
                world.now += Duration::from_secs(10);
            }
        }
        assert!(world.fleet.is_over(), "seed {seed}");
    }
}

/// Ten thousand machines of 8 workers, calls of four seconds, and one machine lost in each second.
#[test]
fn ten_thousand_agents_are_kept_busy() {
    const AGENTS: u64 = 10_000;
    const CALLS: u64 = 200_000;
    let (mut fleet, mut now) = (Fleet::new(Duration::from_secs(60), Moment::ZERO), Moment::ZERO);
    (0..AGENTS).for_each(|agent| fleet.joined(AgentId(agent), 8, now));
    (0..CALLS).for_each(|call| fleet.submit(CallId::from_raw(call), Terms { retries: 3, ..Terms::default() }, now));
    let (mut done, mut due, mut lost) = (0, BTreeSet::new(), BTreeSet::new());
    let mut dice = Dice::new(7);
    while done < CALLS {
        while let Some(action) = fleet.next_action() {
            if let Action::Send { call, agent, attempt } = action {
                assert!(!lost.contains(&agent));
                due.insert((now + dice.wait(3000, 5000), agent, call, attempt));
            }
        }
        let Some((at, agent, call, attempt)) = due.pop_first() else { break };
        if at.as_secs() > now.as_secs() {
            let gone = AgentId(dice.below(AGENTS));
            lost.insert(gone);
            fleet.lost(gone, now);
        }
        now = at;
        done += u64::from(fleet.answered(agent, call, attempt, now));
    }
    assert_eq!((done, fleet.open()), (CALLS, 0));
    assert!(now < Duration::from_secs(20), "80,000 workers need three rounds of four seconds: {now:?}");
}
