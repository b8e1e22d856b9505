//! Everything at once: random kills, cancels and resizes, and still every handle resolves with the truth.

mod boundaries;
mod clocks;
mod descent;
mod faults;
mod holders;
#[cfg(target_arch = "x86_64")]
mod nth;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Blob, square};
use loky_tests::{Case, Random, cases, finish, ms, pool_of, procfs, rounds};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

loky::main! {
    fn main() -> ExitCode {
        let areas = [
            CASES,
            boundaries::CASES,
            clocks::CASES,
            descent::CASES,
            faults::CASES,
            holders::CASES,
            #[cfg(target_arch = "x86_64")]
            nth::CASES,
        ];
        let programs = [
            clocks::PROGRAMS,
            descent::PROGRAMS,
            faults::PROGRAMS,
            holders::PROGRAMS,
            #[cfg(target_arch = "x86_64")]
            nth::PROGRAMS,
        ];
        loky_tests::run(&areas, &programs.concat())
    }
}

const CASES: &[Case] = cases![
    race_00_a_map_of_ten_thousand_under_fire: 180,
    race_00_the_shared_pool_under_fire: 180,
    race_01_submitters_cancels_resizes_and_kills: 180,
    race_02_large_payloads_under_fire: 180,
    race_03_shutdown_under_fire: 180,
    race_08_spawn_cancel_shutdown: 180,
];

/// Kills a random child of this process every `period` while `during` runs, and tells how many.
fn under_fire<R>(period: Duration, random: Random, during: impl FnOnce() -> R) -> (R, usize) {
    under_fire_in(period, random, procfs::workers, during)
}

/// The same with victims of one's own choice.
fn under_fire_in<R>(
    period: Duration,
    mut random: Random,
    victims: impl Fn() -> Vec<u32> + Sync,
    during: impl FnOnce() -> R,
) -> (R, usize) {
    let (is_over, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                thread::sleep(period);
                let hit = random.choose(&victims()).map(|pid| kill(Pid::from_raw(*pid as i32), Signal::SIGKILL));
                kills.fetch_add(usize::from(hit.is_some_and(|hit| hit.is_ok())), Ordering::SeqCst);
            }
        });
        // The shooter stops also if this panics, so that the panic is what is shown.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        is_over.store(true, Ordering::SeqCst);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    (result, kills.into_inner())
}

#[loky::task]
fn slow_square(x: u64) -> u64 {
    thread::sleep(Duration::from_micros(500));
    x * x
}

#[loky::task]
fn tagged(x: u64, burden: Blob) -> (u64, Blob) {
    (x, burden)
}

fn map_under_fire(pool: &Pool) {
    let random = Random::from_environment();
    let map = || (0..10_000_u64).par_map(slow_square).on(pool).retries(100).collect::<Result<Vec<u64>, _>>();
    let (results, kills) = under_fire(ms(20), random, map);
    let results = results.expect("with a hundred retries none is lost");
    assert!(results == (0..10_000).map(square).collect::<Vec<_>>(), "every result in its place");
    assert!(kills >= 20, "only {kills} workers were killed");
    println!("{kills} kills");
}

fn race_00_a_map_of_ten_thousand_under_fire() {
    let pool = pool_of(4);
    map_under_fire(&pool);
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
}

fn race_00_the_shared_pool_under_fire() {
    map_under_fire(&loky::pool());
    finish();
}

/// Calls a few hundred times, cancelling some; each result is right, or the error is one that was earned.
fn submitter(pool: &Pool, mut random: Random, rounds: u64) -> usize {
    let mut finished = 0;
    for round in 0..rounds {
        let handles: Vec<_> = (0..10).map(|x| (x, slow_square.bind(x + round).on(pool).retries(100).spawn())).collect();
        let doomed = random.below(20) as usize;
        let is_cancelled = handles.get(doomed).is_some_and(|(_, handle)| handle.cancel());
        for (x, handle) in handles {
            match handle.join() {
                Ok(value) => {
                    assert_eq!(value, (x + round) * (x + round));
                    finished += 1;
                }
                Err(error) => assert!(is_cancelled && x == doomed as u64 && error.is_cancelled(), "{error}"),
            }
        }
    }
    finished
}

fn race_01_submitters_cancels_resizes_and_kills() {
    let mut random = Random::from_environment();
    for _ in rounds(1) {
        storm(&mut random);
    }
}

/// Many submitters on a pool that is resized and shot at, until all are done.
fn storm(random: &mut Random) {
    let pool = Pool::builder().workers(4).idle_timeout(Some(ms(5))).build().expect("a pool");
    let (finished, kills) = under_fire(ms(20), random.clone(), || {
        thread::scope(|scope| {
            let submitters: Vec<_> = (0..8)
                .map(|_| {
                    random.bits();
                    let (pool, random) = (&pool, random.clone());
                    scope.spawn(move || submitter(pool, random, 40))
                })
                .collect();
            while !submitters.iter().all(|submitter| submitter.is_finished()) {
                pool.resize(2 + random.below(5) as usize);
                thread::sleep(ms(7));
            }
            submitters.into_iter().map(|submitter| submitter.join().expect("no panic")).sum::<usize>()
        })
    });
    assert!(finished > 8 * 40 * 9, "at most one of ten was cancelled: {finished}");
    println!("{finished} finished, {kills} kills");
    pool.shutdown();
    assert_eq!(procfs::children(std::process::id()), []);
}

fn race_02_large_payloads_under_fire() {
    let mut random = Random::from_environment();
    let pool = pool_of(3);
    let ((), kills) = under_fire(ms(100), random.clone(), || {
        for round in rounds(30) {
            let size = || random.below(8 << 20) as usize;
            let burdens: Vec<Blob> =
                std::iter::repeat_with(size).take(4).map(|size| Blob(vec![round as u8; size])).collect();
            let spawn = |(x, burden): (u64, &Blob)| tagged.bind(x, burden.clone()).on(&pool).retries(100).spawn();
            let handles: Vec<_> = (0..).zip(&burdens).map(spawn).collect();
            let results = loky::join_all(handles).expect("with a hundred retries none is lost");
            assert!((0..).zip(burdens).eq(results), "every byte in its place, round {round}");
        }
    });
    assert!(kills > 0, "nobody was killed");
}

fn race_03_shutdown_under_fire() {
    let mut random = Random::from_environment();
    for round in rounds(30) {
        let pool = pool_of(3);
        let handles: Vec<_> = (0..60).map(|x| slow_square.bind(x).on(&pool).retries(100).spawn()).collect();
        let delay = random.span(ms(80));
        under_fire(ms(20), random.clone(), || {
            thread::sleep(delay);
            if round % 2 == 0 { pool.shutdown() } else { pool.shutdown_now() }
        });
        for (x, handle) in (0..).zip(handles) {
            assert!(handle.is_finished(), "round {round}");
            match handle.join() {
                Ok(value) => assert_eq!(value, x * x),
                Err(error) => assert!(round % 2 == 1 && error.kind() == ErrorKind::Shutdown, "round {round}: {error}"),
            }
        }
        assert_eq!(procfs::children(std::process::id()), [], "round {round}");
    }
}

fn race_08_spawn_cancel_shutdown() {
    let mut random = Random::from_environment();
    for round in rounds(200) {
        let pool = pool_of(1 + random.below(3) as usize);
        let handles: Vec<_> = (0..random.below(6)).map(|x| square.bind(x).on(&pool).spawn()).collect();
        for handle in handles.iter().filter(|_| random.below(2) == 0) {
            handle.cancel();
        }
        match random.below(4) {
            0 => pool.shutdown(),
            1 => pool.shutdown_now(),
            2 => drop(pool.shutdown_timeout(random.span(ms(5)))),
            _ => drop(pool),
        }
        for (x, handle) in (0..).zip(handles) {
            match handle.join() {
                Ok(value) => assert_eq!(value, x * x, "round {round}"),
                Err(error) => {
                    let is_earned = matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Shutdown);
                    assert!(is_earned, "round {round}: {error}");
                }
            }
        }
    }
}
