//! What each worker runs after its last call, and who is told of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loky::prelude::*;
use loky::{Error, ErrorKind, Pool};
use loky_tests::tasks::{Blob, Death, arrive_and_die, bytes, die, leave_word, meet, pid, spin, square};
use loky_tests::thorn::{Fault, Moment, Thorn};
use loky_tests::{Case, Gate, cases, eventually, fails, ms, procfs, stays};

pub(crate) const CASES: &[Case] = cases![
    init_09_its_value_is_told_before_the_shutdown_returns,
    init_09_long_values,
    init_09_errors_in_it_surface,
    init_09_not_after_a_kill,
    init_09_every_orderly_end,
    init_10_the_sum_of_all_workers_is_the_number_of_calls,
    init_22_the_last_one_is_run_first_and_none_keeps_the_others,
    init_23_whoever_is_told_may_do_as_it_likes,
    init_24_a_forced_end_while_it_runs,
    init_25_after_a_drop_it_still_runs,
    init_26_whoever_was_not_asked_is_not_told,
    init_30_a_worker_that_has_grown_ends_as_any_other,
    init_31_what_it_takes_to_get_ready_is_no_growth,
    timeout_07_limits_on_finalizers,
];

/// What was told.
struct Told<T>(Arc<Mutex<Vec<Result<T, Error>>>>);

impl<T: Send + 'static> Told<T> {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn teller(&self) -> impl Fn(Result<T, Error>) + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |value| told.lock().expect("no panic").push(value)
    }

    fn take(&self) -> Vec<Result<T, Error>> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }

    fn len(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }
}

static SERVED: AtomicU64 = AtomicU64::new(0);

#[loky::task]
fn serve(x: u64) -> u64 {
    SERVED.fetch_add(1, Ordering::Relaxed);
    x * x
}

#[loky::task]
fn count_from(start: u64) {
    SERVED.store(start, Ordering::Relaxed);
}

#[loky::task]
fn served() -> u64 {
    SERVED.load(Ordering::Relaxed)
}

fn values<T>(told: Vec<Result<T, Error>>) -> Vec<T> {
    told.into_iter().map(|value| value.expect("a value")).collect()
}

fn init_09_its_value_is_told_before_the_shutdown_returns() {
    for _ in 0..5 {
        let told = Told::new();
        let tell = told.teller();
        let slow = move |value| {
            std::thread::sleep(ms(50));
            tell(value);
        };
        let pool = Pool::builder().workers(3).finalizer(pid.bind(), slow).build().expect("a pool");
        pool.warm_up();
        let mut pids = pool.stats().pids;
        assert_eq!(told.len(), 0, "not while they serve");
        pool.shutdown();
        let mut last = values(told.take());
        last.sort_unstable();
        pids.sort_unstable();
        assert_eq!(last, pids);
    }
    let unused = Told::new();
    let pool = Pool::builder().workers(1).finalizer(pid.bind(), unused.teller()).build().expect("a pool");
    pool.shutdown();
    assert_eq!(unused.len(), 0, "no worker, no value");
}

fn init_09_long_values() {
    let told = Told::<Blob>::new();
    let numbers = Told::<Vec<f64>>::new();
    let builder = Pool::builder().workers(2).finalizer(bytes.bind(10 << 20), told.teller());
    let pool = builder.finalizer(row.bind(1 << 20), numbers.teller()).build().expect("a pool");
    pool.warm_up();
    pool.shutdown();
    assert!(values(told.take()).iter().map(|blob| blob.0.len()).eq([10 << 20; 2]));
    let expected: Vec<f64> = row(1 << 20);
    assert!(values(numbers.take()).iter().all(|numbers| *numbers == expected));
}

#[loky::task]
fn row(count: u32) -> Vec<f64> {
    (0..count).map(f64::from).collect()
}

#[loky::task]
fn panic_at_the_end() -> u32 {
    panic!("no goodbye")
}

#[loky::task]
fn sting(moment: Moment) -> Thorn {
    Thorn { moment, fault: Fault::Error }
}

fn init_09_errors_in_it_surface() {
    let (panicked, died, unsaid, unheard) = (Told::new(), Told::new(), Told::new(), Told::new());
    let builder = Pool::builder().workers(1).finalizer(die.bind(Death::Exit(4)), died.teller());
    let builder = builder.finalizer(sting.bind(Moment::Encode), unsaid.teller());
    let builder = builder.finalizer(sting.bind(Moment::Decode), unheard.teller());
    let pool = builder.finalizer(panic_at_the_end.bind(), panicked.teller()).build().expect("a pool");
    let worker = pid.bind().on(&pool).run().expect("a call");
    pool.shutdown();
    let only = |mut told: Vec<Result<u32, Error>>, kind| {
        assert_eq!(told.len(), 1);
        let error = fails(told.remove(0), kind);
        assert!(error.may_have_run() && error.pid() == Some(worker), "{error:?}");
        error
    };
    let error = only(panicked.take(), ErrorKind::Panic);
    assert_eq!(error.panic_message(), Some("no goodbye"));
    assert!(error.panic_location().is_some() && error.task().is_some_and(|task| task.ends_with("panic_at_the_end")));
    let error = only(died.take(), ErrorKind::Crash);
    assert!(error.exit_code() == Some(4) && error.to_string().contains("exited with code 4"), "{error}");
    let unsaid: Vec<_> = unsaid.take().into_iter().map(|value| value.map(|_: Thorn| 0)).collect();
    only(unsaid, ErrorKind::Encode);
    fails(unheard.take().remove(0), ErrorKind::Decode);
}

fn init_09_not_after_a_kill() {
    let (gate, told, words) = (Gate::new("gate"), Told::new(), Gate::new("words"));
    let builder = Pool::builder().workers(1).finalizer(leave_word.bind(words.clone(), "bye"), told.teller());
    let pool = builder.build().expect("a pool");
    fails(arrive_and_die.bind(gate.clone(), Death::Abort).on(&pool).run(), ErrorKind::Crash);
    fails(spin.bind(gate.clone()).on(&pool).timeout(ms(50)).run(), ErrorKind::Timeout);
    let last = Gate::new("last");
    let running = spin.bind(last.clone()).on(&pool).spawn();
    last.await_arrivals(1);
    pool.shutdown_now();
    fails(running.join(), ErrorKind::Shutdown);
    assert_eq!((told.len(), words.arrivals()), (0, vec![]));
}

fn init_09_every_orderly_end() {
    let told = Told::new();
    let builder = Pool::builder().workers(2).finalizer(pid.bind(), told.teller());
    let worn = builder.clone().max_calls_per_worker(1).build().expect("a pool");
    let first = pid.bind().on(&worn).run().expect("a call");
    eventually("after its share of calls", || told.len() == 1);
    assert_eq!(values(told.take()), [first]);
    worn.shutdown();
    let idle = builder.clone().idle_timeout(Some(ms(10))).build().expect("a pool");
    let first = pid.bind().on(&idle).run().expect("a call");
    eventually("after the idle timeout", || told.len() == 1);
    assert_eq!(values(told.take()), [first]);
    idle.shutdown();
    let pool = builder.build().expect("a pool");
    pool.warm_up();
    pool.resize(1);
    eventually("when the pool is made smaller", || told.len() == 1);
    pool.shutdown();
    assert_eq!(told.len(), 2);
}

fn init_10_the_sum_of_all_workers_is_the_number_of_calls() {
    for lifespan in [None, Some(3)] {
        let told = Told::new();
        let builder = Pool::builder().workers(3).initializer(count_from.bind(100));
        let builder = builder.finalizer(served.bind(), told.teller());
        let builder = lifespan.into_iter().fold(builder, |builder, calls| builder.max_calls_per_worker(calls));
        let pool = builder.build().expect("a pool");
        assert_eq!((0..100_u64).par_map(serve).on(&pool).unwrap_all().len(), 100);
        (0..20).for_each(|x| assert_eq!(serve.bind(x).on(&pool).run().expect("a call"), x * x));
        pool.shutdown();
        let counts = values(told.take());
        assert_eq!(counts.iter().map(|count| count - 100).sum::<u64>(), 120, "{counts:?}");
        assert!(lifespan.is_none_or(|most| counts.iter().all(|count| count - 100 < 2 * most)), "{counts:?}");
    }
}

fn init_22_the_last_one_is_run_first_and_none_keeps_the_others() {
    let (words, told) = (Gate::new("words"), Told::new());
    let say = |word| leave_word.bind(words.clone(), word);
    let builder = Pool::builder().workers(1).finalizer(say("first"), |_| {}).finalizer(say("second"), |_| {});
    let pool = builder.finalizer(panic_at_the_end.bind(), told.teller()).finalizer(say("third"), |_| {});
    let pool = pool.build().expect("a pool");
    square.bind(1).on(&pool).run().expect("a call");
    pool.shutdown();
    assert_eq!((words.arrivals(), told.len()), (["third", "second", "first"].map(String::from).to_vec(), 1));
}

fn init_23_whoever_is_told_may_do_as_it_likes() {
    let (told, other) = (Told::new(), Pool::builder().workers(1).build().expect("a pool"));
    let next = told.teller();
    let asks = other.clone();
    let panics = |_: Result<u32, Error>| panic!("whoever is told panics");
    let builder = Pool::builder().workers(2).finalizer(pid.bind(), panics);
    let builder = builder.finalizer(pid.bind(), move |_| next(square.bind(3).on(&asks).run()));
    let pool = builder.build().expect("a pool");
    pool.warm_up();
    pool.shutdown();
    assert_eq!(values(told.take()), [9, 9], "each could run a call of its own, and was waited for");
}

fn init_24_a_forced_end_while_it_runs() {
    let (gate, told) = (Gate::new("gate"), Told::<()>::new());
    let call = spin.bind(gate.clone()).timeout(Duration::from_secs(100));
    let pool = Pool::builder().workers(1).finalizer(call, told.teller()).build().expect("a pool");
    square.bind(1).on(&pool).run().expect("a call");
    let patient = std::thread::spawn({
        let pool = pool.clone();
        move || pool.shutdown()
    });
    gate.await_arrivals(1);
    stays("it is waited for", ms(100), || !patient.is_finished());
    assert!(!pool.shutdown_timeout(ms(100)), "it still runs");
    patient.join().expect("no panic");
    let mut told = told.take();
    assert_eq!(told.len(), 1);
    assert!(fails(told.remove(0), ErrorKind::Shutdown).may_have_run());
}

fn init_25_after_a_drop_it_still_runs() {
    let (gate, told) = (Gate::new("gate"), Told::new());
    let pool = Pool::builder().workers(1).finalizer(pid.bind(), told.teller()).build().expect("a pool");
    let held = meet.bind(gate.clone(), 3).on(&pool).spawn();
    drop(pool);
    gate.open();
    assert_eq!(held.join().expect("what was spawned is finished"), 3);
    eventually("and its worker leaves in order", || told.len() == 1);
    eventually("nothing is left", || procfs::children(std::process::id()).is_empty() && procfs::threads().len() == 1);
}

fn init_26_whoever_was_not_asked_is_not_told() {
    let (words, never, died) = (Gate::new("words"), Told::new(), Told::new());
    let builder = Pool::builder().workers(1).finalizer(leave_word.bind(words.clone(), "bye"), never.teller());
    let builder = builder.finalizer(die.bind(Death::Signal(9)), died.teller());
    let pool = builder.build().expect("a pool");
    square.bind(1).on(&pool).run().expect("a call");
    pool.shutdown();
    let error = fails(died.take().remove(0), ErrorKind::Crash);
    assert!(error.signal() == Some(9) && error.to_string().contains("killed by SIGKILL"), "{error}");
    assert_eq!((never.len(), words.arrivals()), (0, vec![]));
}

#[loky::task(timeout = "40ms")]
fn rest(span: Duration) -> u32 {
    std::thread::sleep(span);
    7
}

fn timeout_07_limits_on_finalizers() {
    let hour = Duration::from_secs(3600);
    for (call, limit) in [(rest.bind(hour).timeout(ms(10)), "10ms"), (rest.bind(hour), "40ms")] {
        let told = Told::new();
        let pool = Pool::builder().workers(1).finalizer(call, told.teller()).build().expect("a pool");
        square.bind(1).on(&pool).run().expect("a call");
        let before = Instant::now();
        pool.shutdown();
        assert!(before.elapsed() < ms(4000), "{:?}", before.elapsed());
        let error = fails(told.take().remove(0), ErrorKind::Timeout);
        assert!(error.to_string().contains(&format!("longer than its limit of {limit}")), "{error}");
    }
    let told = Told::new();
    let call = rest.bind(ms(6000)).timeout(Duration::from_secs(100));
    let pool = Pool::builder().workers(1).timeout(ms(20)).finalizer(call, told.teller()).build().expect("a pool");
    square.bind(1).on(&pool).timeout(ms(20_000)).run().expect("a call");
    pool.shutdown();
    assert_eq!(values(told.take()), [7], "a limit may be longer than leaving may take, and the pool's is not its own");
}

static HOARD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

#[loky::task]
fn hoard(mib: usize) {
    HOARD.lock().expect("no panic").push(vec![1; mib << 20]);
}

fn init_30_a_worker_that_has_grown_ends_as_any_other() {
    let told = Told::new();
    let builder = Pool::builder().workers(1).memory_growth_limit(Some(20 << 20));
    let pool = builder.finalizer(pid.bind(), told.teller()).build().expect("a pool");
    let calls: Vec<_> = (0..60).map(|_| hoard.bind(3).on(&pool).spawn()).collect();
    loky::join_all(calls).expect("no error");
    eventually("those that have grown are gone", || pool.stats().deaths + 1 >= pool.stats().launches);
    let launches = pool.stats().launches;
    assert!(launches > 1, "it has grown");
    pool.shutdown();
    assert_eq!(values(told.take()).len() as u64, launches);
}

fn init_31_what_it_takes_to_get_ready_is_no_growth() {
    let builder = Pool::builder().workers(1).memory_growth_limit(Some(20 << 20));
    let builder = builder.initializer(hoard.bind(1)).initializer(hoard.bind(100)).initializer(hoard.bind(100));
    let pool = builder.build().expect("a pool");
    let calls: Vec<_> = (0..2000).map(|x| square.bind(x).on(&pool).spawn()).collect();
    loky::join_all(calls).expect("no error");
    assert_eq!(pool.stats().launches, 1);
}
