//! What a worker keeps between its calls, and what tells it from others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, die};
use loky_tests::{Case, Gate, cases, fails};

pub(crate) const CASES: &[Case] = cases![
    state_01_the_index_of_a_worker_is_stable,
    state_02_shared_data_arrive_once_in_each_worker,
    state_03_state_persists_and_is_fresh_in_replacements,
];

/// What an initializer has put there: the worker's index, and shared data.
static STATE: Mutex<(Option<usize>, Vec<u64>)> = Mutex::new((None, Vec::new()));

#[loky::task]
fn install(gate: Gate, data: Vec<u64>) {
    let index = loky::worker().expect("a worker").index;
    gate.arrive(&index.to_string());
    *STATE.lock().expect("no panic") = (Some(index), data);
}

/// The index that the initializer saw, the one that a call sees, and the process.
#[loky::task]
fn indices(_item: u64) -> (Option<usize>, usize, u32) {
    let who = loky::worker().expect("a worker");
    (STATE.lock().expect("no panic").0, who.index, who.pid)
}

fn state_01_the_index_of_a_worker_is_stable() {
    let gate = Gate::new("gate");
    let pool = Pool::builder().workers(4).initializer(install.bind(gate.clone(), vec![])).build().expect("a pool");
    pool.warm_up();
    assert_eq!(gate.arrivals().into_iter().collect::<BTreeSet<_>>(), ["0", "1", "2", "3"].map(String::from).into());
    let mut seen = BTreeMap::new();
    for (at_first, now, pid) in (0..500_u64).par_map(indices).on(&pool).unwrap_all() {
        assert!(at_first == Some(now) && now < 4);
        assert_eq!(*seen.entry(pid).or_insert(now), now, "a worker has one index");
    }
}

#[loky::task]
fn look_up(place: u64) -> u64 {
    STATE.lock().expect("no panic").1[place as usize]
}

fn state_02_shared_data_arrive_once_in_each_worker() {
    for (name, is_copied) in [("started", false), ("copied", true)] {
        let (gate, data) = (Gate::new(name), (0..100_000).map(|x| x * 3).collect::<Vec<u64>>());
        let builder = Pool::builder().workers(3).zygote(is_copied).initializer(install.bind(gate.clone(), data));
        let pool = builder.build().expect("a pool");
        pool.warm_up();
        let found: Vec<_> = (0..300_u64).par_map(look_up).on(&pool).unwrap_all();
        assert!(found.into_iter().eq((0..300).map(|x| x * 3)));
        assert_eq!(gate.arrivals().len(), 3, "once in each worker, not with each call");
    }
}

#[loky::task]
fn add_to_state(number: u64) -> u64 {
    let mut state = STATE.lock().expect("no panic");
    state.1[0] += number;
    state.1[0]
}

fn state_03_state_persists_and_is_fresh_in_replacements() {
    let gate = Gate::new("gate");
    let pool = Pool::builder().workers(1).initializer(install.bind(gate, vec![10])).build().expect("a pool");
    let sums = || [1, 2, 3].map(|number| add_to_state.bind(number).on(&pool).run().expect("a call"));
    assert_eq!(sums(), [11, 13, 16]);
    fails(die.bind(Death::Abort).on(&pool).run(), ErrorKind::Crash);
    assert_eq!(sums(), [11, 13, 16], "a replacement begins anew");
}
