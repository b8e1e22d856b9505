//! Trees of pools: whoever waits is served, errors come up quietly, and nobody is left.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Pool};
use loky_tests::tasks::{Death, die, pid, square};
use loky_tests::{Case, Gate, Program, cases, eventually, fails, finish, ms, pool_of, procfs, program, programs, soon};

pub(crate) const CASES: &[Case] = cases![
    nested_01_each_level_ends_its_pool: 120,
    nested_04_a_tree_of_processes_is_killed_completely: 120,
    nested_05_recursion_goes_depth_first,
    nested_09_an_error_far_below_makes_no_noise,
    nested_11_endless_recursion_ends_with_an_error: 120,
    nested_12_a_pool_serves_any_thread_of_a_worker,
    nested_13_names_of_threads_do_not_matter,
    nested_14_all_workers_wait_for_calls_of_their_own,
];

pub(crate) const PROGRAMS: &[Program] = programs![fails_far_below, grows_a_tree];

/// How many levels there are from here on, each with a pool of its own that it ends: by force, or in order.
#[loky::task]
fn dig(levels: u32, by_force: bool) -> (u32, Option<String>) {
    if levels == 0 {
        return (0, None);
    }
    let pool = match Pool::builder().workers(1).build() {
        Ok(pool) => pool,
        Err(error) => return (0, Some(format!("{:?}", error.kind()))),
    };
    let (below, why) = dig.bind(levels - 1, by_force).on(&pool).run().expect("the level below answers");
    if by_force {
        pool.shutdown_now()
    } else {
        pool.shutdown()
    }
    assert!(procfs::children(std::process::id()).is_empty(), "nothing of it is left");
    (below + 1, why)
}

fn nested_01_each_level_ends_its_pool() {
    for by_force in [false, true] {
        let pool = pool_of(1);
        assert_eq!(dig.bind(9, by_force).on(&pool).run().expect("ten levels"), (9, None));
        let deeper = dig.bind(30, by_force).on(&pool).run().expect("the first level");
        assert_eq!(deeper, (9, Some("Depth".to_owned())), "by force: {by_force}");
        pool.shutdown();
    }
}

/// So many levels of pools, each level with an ordinary child and a grandchild that has left its group.
#[loky::task]
fn grow(levels: u32, gate: Gate) {
    let script = "sleep 4101 & setsid sleep 4101 & exit 0";
    std::process::Command::new("sh").args(["-c", script]).status().expect("a shell can be started");
    gate.arrive(&std::process::id().to_string());
    match levels {
        0 => gate.pass(),
        _ => grow.run(levels - 1, gate).expect("nobody asks"),
    }
}

fn grows_a_tree() {
    grow.run(3, Gate::of_the_case("program")).expect("nobody asks");
}

fn nested_04_a_tree_of_processes_is_killed_completely() {
    let is_left = |process: &procfs::Process| process.command_line().starts_with("sleep\x004101");
    let kill_by = |name: &str, kill: &dyn Fn(&Pool, &loky::JoinHandle<()>)| {
        let (pool, gate) = (pool_of(1), Gate::new(name));
        let tree = grow.bind(3, gate.clone()).on(&pool).spawn();
        let workers: Vec<u32> = gate.await_arrivals(4).iter().map(|pid| pid.parse().expect("a pid")).collect();
        eventually("all have started", || procfs::all().iter().filter(|process| is_left(process)).count() == 8);
        kill(&pool, &tree);
        let is_gone = || !workers.iter().any(|pid| procfs::is_alive(*pid)) && !procfs::all().iter().any(is_left);
        soon("all of it is gone", ms(5000), is_gone);
    };
    kill_by("cancel", &|_, tree| assert!(tree.cancel()));
    kill_by("shutdown", &|pool, _| pool.shutdown_now());
    let gate = Gate::new("program");
    let mut growing = program("grows_a_tree").spawn().expect("the program starts");
    gate.await_arrivals(4);
    growing.kill().expect("it is ours");
    growing.wait().expect("it is ours");
    soon("all of it is gone", ms(5000), || !procfs::all().iter().any(is_left));
}

#[loky::task]
fn walk(path: String, levels: u32, words: Gate) {
    words.arrive(&path);
    if levels > 0 {
        let pool = pool_of(1);
        for child in ["a", "b"] {
            walk.bind(format!("{path}{child}"), levels - 1, words.clone()).on(&pool).run().expect("a child");
        }
        pool.shutdown();
        assert_eq!(pool.stats().failed, 0, "all have ended in order");
    }
}

fn nested_05_recursion_goes_depth_first() {
    let (pool, words) = (pool_of(1), Gate::new("words"));
    walk.bind(".".to_owned(), 2, words.clone()).on(&pool).run().expect("the root");
    assert_eq!(words.arrivals(), [".", ".a", ".aa", ".ab", ".b", ".ba", ".bb"]);
}

#[loky::task]
fn fail_at(levels: u32) -> Result<(), loky::Error> {
    match levels {
        0 => die.run(Death::Abort).map(|_| ()),
        _ => fail_at.run(levels - 1)?,
    }
}

/// What a crash far below looks like up here.
fn fails_far_below() {
    let error = fail_at.run(2).expect("the first level").expect_err("it fails below");
    assert!(error.is_crash() && error.signal() == Some(6), "{error}");
    println!("{error}");
    loky::pool().shutdown();
}

fn nested_09_an_error_far_below_makes_no_noise() {
    let output = program("fails_far_below").stdout(Stdio::piped()).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nobody has anything to add");
    assert!(String::from_utf8_lossy(&output.stdout).contains("SIGABRT"), "{output:?}");
}

/// Calls itself in parallel without end.
#[loky::task]
fn explode(_seed: u32) -> Result<(), String> {
    for result in (0..4).par_map(explode) {
        result.map_err(|error| format!("{:?}", error.kind()))??;
    }
    Ok(())
}

fn nested_11_endless_recursion_ends_with_an_error() {
    let (most, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(procfs::below(std::process::id()).len(), Ordering::Relaxed);
                thread::sleep(ms(2));
            }
        });
        let ended = explode(0);
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    assert_eq!(ended, Err("Depth".to_owned()));
    // Ten levels of as many as there are processors; twice that, since who has left may be seen beside its successor.
    let (most, bound) = (most.into_inner(), 2 * 10 * loky::cpu_count());
    assert!(most <= bound, "{most} processes, and not more than {bound}");
    assert!(procfs::threads().len() < 10, "{:?}", procfs::threads());
    finish();
}

#[loky::task]
fn map_in_threads(threads: u64) -> Vec<u64> {
    let begin = |thread: u64| {
        thread::spawn(move || {
            let own = pool_of(1);
            let sum: u64 = (0..10).map(|x| x + thread).par_map(square).unwrap_all().into_iter().sum();
            assert_eq!(square.bind(thread).on(&own).run().expect("a pool of the thread's own"), thread * thread);
            sum
        })
    };
    let begun: Vec<_> = (0..threads).map(begin).collect();
    begun.into_iter().map(|thread| thread.join().expect("no panic")).collect()
}

fn nested_12_a_pool_serves_any_thread_of_a_worker() {
    let sums =
        |threads| (0..threads).map(|thread| (0..10).map(|x| (x + thread) * (x + thread)).sum()).collect::<Vec<u64>>();
    assert_eq!(map_in_threads.run(4).expect("a call"), sums(4));
    finish();
}

fn nested_13_names_of_threads_do_not_matter() {
    nix::sys::prctl::set_name(c"renamed").expect("a name");
    let named = thread::Builder::new().name("somebody else".to_owned());
    let in_thread = named.spawn(|| (0..20).par_map(square).unwrap_all().len()).expect("a thread");
    assert_eq!(in_thread.join().expect("no panic"), 20);
    assert_eq!((0..20).par_map(square).unwrap_all().len(), 20);
    assert_eq!(map_in_threads.run(1).expect("a call").len(), 1);
    finish();
}

/// Calls by whatever pool there is here, in every way.
#[loky::task]
fn call_on(x: u64) -> (u64, u32) {
    let keyed = loky::keyed("inner", Pool::builder().workers(1)).expect("a pool");
    let direct = square.run(x).expect("served");
    let mapped: u64 = [x].par_map(square).unwrap_all()[0];
    let by_key = square.bind(x).on(&keyed).run().expect("served");
    assert!(direct == mapped && mapped == by_key);
    let above = procfs::process(pid.run().expect("served")).expect("it lives").parent;
    (direct, above)
}

/// In a worker, `loky::pool()` is that worker's own, so whoever waits there waits for nobody who waits for it.
fn nested_14_all_workers_wait_for_calls_of_their_own() {
    let of_two = loky::reusable(Pool::builder().workers(2)).expect("a pool");
    let calls: Vec<_> = (0..8).map(|x| call_on.spawn(x)).collect();
    let answers = loky::join_all(calls).expect("nobody waits for ever");
    let workers = of_two.stats().pids;
    for (x, (value, above)) in answers.into_iter().enumerate() {
        assert_eq!(value, (x * x) as u64);
        assert!(workers.contains(&above), "it ran below the worker that asked");
    }
    let own = pool_of(1);
    let handle = call_on.bind(3).on(&own).spawn();
    assert!(handle.wait_timeout(Duration::from_secs(50)));
    assert_eq!(handle.join().expect("served").0, 9);
    fails(die.bind(Death::Abort).on(&own).run(), ErrorKind::Crash);
    finish();
}
