//! Where a shared array can stand: everywhere in arguments, captures and results, whole and in part.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use loky::prelude::*;
use loky::{ErrorKind, Pool, Shared};
use loky_tests::{Case, cases, fails, pool_of, procfs, scratch};
use serde::{Deserialize, Serialize};

use crate::tools::{here, mapped_by, sum};

pub(crate) const CASES: &[Case] = cases![
    memmap_02_the_same_array_is_mapped_once_however_often_it_is_passed,
    memmap_03_parts_share_their_memory,
    memmap_03_every_place_in_an_argument,
    memmap_03_captured_by_closures,
    memmap_03_items_of_par_map,
    memmap_03_aligned_for_every_element,
    memmap_03_a_slice_of_it_travels_as_a_range,
    memmap_07_results_that_were_made_there,
    memmap_07_what_comes_back_is_what_was_sent,
    memmap_07_results_of_par_map,
    memmap_08_arrays_made_on_the_fly_go_one_by_one,
    memmap_09_a_file_is_mapped_and_passed_on,
    memmap_15_workers_pass_it_on_to_their_own,
    memmap_17_given_to_initializers_and_by_finalizers,
    memmap_16_nothing_and_next_to_nothing,
];

#[loky::task]
fn sum_of(numbers: &Shared<u64>) -> u64 {
    numbers.iter().sum()
}

#[loky::task]
fn echo(numbers: Shared<u64>) -> Shared<u64> {
    numbers
}

#[loky::task]
fn count_to(end: u64) -> Shared<u64> {
    Shared::from_vec((0..end).collect())
}

fn numbers(count: u64) -> Shared<u64> {
    Shared::from_vec((0..count).collect())
}

fn sum_to(end: u64) -> u64 {
    end * (end - 1) / 2
}

fn memmap_02_the_same_array_is_mapped_once_however_often_it_is_passed() {
    let (pool, numbers) = (pool_of(1), numbers(100_000));
    for _ in 0..20 {
        assert_eq!(sum.bind(numbers.clone()).on(&pool).run().expect("it travels"), sum_to(100_000));
        assert_eq!(sum_of.bind(&numbers).on(&pool).run().expect("it travels"), sum_to(100_000));
    }
    let worker = procfs::workers()[0];
    assert_eq!((mapped_by(worker), here()), (1, (1, 1)));
    let equal = Shared::from_slice(&numbers);
    assert_eq!(sum.bind(equal.clone()).on(&pool).run().expect("it travels"), sum_to(100_000));
    assert_eq!(mapped_by(worker), 2, "two equal ones are two");
    pool.shutdown();
}

fn memmap_03_parts_share_their_memory() {
    let (pool, all) = (pool_of(1), numbers(1000));
    let parts = [all.slice(..), all.slice(1..), all.slice(..=9), all.slice(990..1000).slice(5..), all.slice(7..7)];
    for part in parts {
        let back = echo.bind(part.clone()).on(&pool).run().expect("a part travels");
        assert_eq!(back, part);
        assert!(back.is_empty() || std::ptr::eq(&back[..], &part[..]), "what comes back is the same memory");
    }
    assert_eq!((mapped_by(procfs::workers()[0]), here()), (1, (1, 1)));
    assert!(std::panic::catch_unwind(|| all.slice(5..1001)).is_err());
    pool.shutdown();
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    name: String,
    weights: Vec<Shared<f32>>,
    bias: Option<Shared<f32>>,
    by_layer: BTreeMap<u8, (Shared<[f64; 3]>, u8)>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Dense { table: Box<Shared<u8>> },
}

#[loky::task]
fn renamed(
    name: &str,
    model: Model,
    others: (Shared<u8>, [Shared<i16>; 2]),
) -> (Model, (Shared<u8>, [Shared<i16>; 2])) {
    (Model { name: name.to_string(), ..model }, others)
}

fn memmap_03_every_place_in_an_argument() {
    let pool = pool_of(2);
    let shared = Shared::from_vec(vec![1.5_f32; 5000]);
    let kinds = [Kind::Plain, Kind::Dense { table: Box::new(Shared::from_vec(vec![7; 70_000])) }];
    for kind in kinds {
        let model = Model {
            name: "before".to_string(),
            weights: vec![shared.clone(), Shared::from_vec(vec![0.5; 10]), shared.slice(3..4)],
            bias: Some(shared.slice(100..200)),
            by_layer: (0..5).map(|layer| (layer, (Shared::from_vec(vec![[f64::from(layer); 3]; 9]), layer))).collect(),
            kind,
        };
        let others = (Shared::default(), [Shared::from_vec(vec![-1; 3]), Shared::from_vec(vec![2])]);
        let (back, others_back) =
            renamed.bind("after", model.clone(), others.clone()).on(&pool).run().expect("it travels");
        assert_eq!((&back, others_back), (&Model { name: "after".to_string(), ..model }, others));
    }
    pool.shutdown();
}

fn memmap_03_captured_by_closures() {
    let (pool, table, lent) = (pool_of(2), numbers(1000), numbers(10));
    let lent = &lent;
    let look_up = loky::closure!(|at: usize| table[at] + lent[at % 10]);
    assert_eq!(look_up.bind(777).on(&pool).run().expect("captured"), 784);
    let all: Vec<u64> = (0..1000_usize).par_map(look_up.clone()).on(&pool).unwrap_all();
    assert!(all == (0..1000).map(|at| at + at % 10).collect::<Vec<_>>());
    assert!(procfs::workers().into_iter().all(|pid| mapped_by(pid) <= 2), "sent once to each worker");
    drop(table);
    assert_eq!(look_up.bind(7).on(&pool).run().expect("the closure holds what it has captured"), 14);
    pool.shutdown();
}

fn memmap_03_items_of_par_map() {
    let (pool, all) = (pool_of(2), numbers(100_000));
    for len in [1000, 7777, 100_000, 1 << 20] {
        let sums = all.par_chunks(len).par_map(sum).on(&pool).unwrap_all();
        assert_eq!((sums.len(), sums.iter().sum::<u64>()), (100_000_usize.div_ceil(len), sum_to(100_000)));
    }
    let tiny: u64 = all.par_chunks(10).par_map(sum).on(&pool).unwrap_all().iter().sum();
    assert_eq!(tiny, sum_to(100_000));
    assert!(procfs::workers().into_iter().all(|pid| mapped_by(pid) <= 1));
    let pairs = (0..100_u64).map(|at| (all.clone(), at));
    let looked_up = pairs.par_map(loky::closure!(|all: Shared<u64>, at: u64| all[at as usize])).on(&pool).unwrap_all();
    assert!(looked_up == (0..100).collect::<Vec<_>>());
    pool.shutdown();
}

#[loky::task]
fn sum_slice(numbers: &[u64]) -> (u64, usize) {
    (numbers.iter().sum(), numbers.as_ptr().addr())
}

#[loky::task]
fn sum_two(first: &[u64], name: &str, second: &[u64]) -> u64 {
    first.iter().chain(second).sum::<u64>() + name.len() as u64
}

#[loky::task]
fn sum_owned(numbers: Vec<u64>) -> u64 {
    numbers.iter().sum()
}

#[loky::task]
fn sum_any<T: Copy + Into<u64> + Serialize + for<'de> Deserialize<'de>>(numbers: &[T]) -> u64 {
    numbers.iter().map(|&number| number.into()).sum()
}

fn memmap_03_a_slice_of_it_travels_as_a_range() {
    let (pool, all) = (pool_of(1), numbers(100_000));
    let (sum, address) = sum_slice.bind(&all).on(&pool).run().expect("all of it");
    assert_eq!(sum, sum_to(100_000));
    let worker = procfs::workers()[0];
    assert_eq!((mapped_by(worker), here()), (1, (1, 1)), "it is the same memory");
    let (sum, part) = sum_slice.bind(&all[5000..]).on(&pool).run().expect("a part of it");
    assert_eq!((sum, part), (sum_to(100_000) - sum_to(5000), address + 5000 * 8), "nothing was copied");
    assert_eq!(sum_slice::bind(&all).on(&pool).run().expect("by its path"), (sum_to(100_000), address));
    assert_eq!(sum_two.bind(&all[..5000], "four", &all[5000..]).on(&pool).run().expect("two"), sum_to(100_000) + 4);
    assert_eq!(sum_owned::bind(all.to_vec()).on(&pool).run().expect("a vector is none of it"), sum_to(100_000));
    assert_eq!(sum_any::<u64>.bind(&all).on(&pool).run().expect("a generic task"), sum_to(100_000));
    let ends = loky::closure!(|numbers: &[u64]| numbers[0] + numbers[numbers.len() - 1]);
    assert_eq!(ends.bind(&all[10..]).on(&pool).run().expect("a closure"), 100_009);
    let sums = all.chunks(10_000).par_map(sum_slice).on(&pool).unwrap_all();
    let at: Vec<_> = sums.iter().map(|(_, at)| at - address).collect();
    assert!(at == (0..10).map(|chunk| chunk * 80_000).collect::<Vec<_>>(), "{at:?}");
    let owned = all.chunks(10_000).par_map(sum_owned).on(&pool).unwrap_all();
    assert_eq!(owned.iter().sum::<u64>(), sum_to(100_000));
    let captured = &all[..50_000];
    let look_up = loky::closure!(|at: usize| captured[at]);
    assert_eq!(look_up.bind(49_999).on(&pool).run().expect("a captured slice is copied"), 49_999);
    assert_eq!((mapped_by(worker), here()), (1, (1, 1)));
    pool.shutdown();
}

#[loky::task]
fn addresses(bytes: Shared<u8>, wide: Shared<u128>, made: usize) -> (usize, usize, Shared<u8>) {
    (bytes.as_ptr().addr() % 64, wide.as_ptr().addr() % 64, Shared::from_vec(vec![1; made]))
}

fn memmap_03_aligned_for_every_element() {
    let pool = pool_of(1);
    for len in [1, 63, 4096, 70_001] {
        let (bytes, wide) = (Shared::from_vec(vec![1_u8; len]), Shared::from_vec(vec![1_u128; len]));
        assert!(bytes.as_ptr().addr() % 64 == 0 && wide.as_ptr().addr() % 64 == 0);
        let (bytes, wide, made) = addresses.bind(bytes, wide, len).on(&pool).run().expect("they travel");
        assert_eq!((bytes, wide, made.as_ptr().addr() % 64), (0, 0, 0));
    }
    pool.shutdown();
}

fn memmap_07_results_that_were_made_there() {
    let pool = pool_of(1);
    let made = count_to.bind(100_000).on(&pool).run().expect("a result");
    assert_eq!(made.iter().sum::<u64>(), sum_to(100_000));
    assert_eq!(sum.bind(made.clone()).on(&pool).run().expect("and an argument again"), sum_to(100_000));
    pool.shutdown();
    assert_eq!(made[99_999], 99_999, "it outlives whoever made it");
    drop(made);
    assert_eq!(here(), (0, 0));
}

fn memmap_07_what_comes_back_is_what_was_sent() {
    let (pool, numbers) = (pool_of(1), numbers(1000));
    let back = echo.bind(numbers.clone()).on(&pool).run().expect("it comes back");
    assert!(std::ptr::eq(&back[..], &numbers[..]) && here() == (1, 1));
    let handle = echo.bind(numbers.clone()).on(&pool).spawn();
    drop((numbers, back));
    let back = handle.join().expect("the call has held it");
    assert_eq!((back.iter().sum::<u64>(), here()), (sum_to(1000), (1, 1)));
    pool.shutdown();
}

#[loky::task]
fn halves(numbers: Shared<u64>, made: u64) -> Vec<Shared<u64>> {
    let middle = numbers.len() / 2;
    vec![numbers.slice(..middle), Shared::from_vec(vec![made; 10]), numbers.slice(middle..)]
}

fn memmap_07_results_of_par_map() {
    let (pool, all) = (pool_of(2), numbers(1000));
    let items = (0..100_u64).map(|made| (all.slice(made as usize..), made));
    for (made, parts) in (0..).zip(items.par_map(halves).on(&pool).chunk_size(10).unwrap_all()) {
        let [first, middle, last] = &parts[..] else { panic!("three parts") };
        assert_eq!([&first[..], last].concat(), all[made..]);
        assert_eq!(*middle, vec![made as u64; 10]);
    }
    assert_eq!(here(), (1, 1));
    pool.shutdown();
}

fn memmap_08_arrays_made_on_the_fly_go_one_by_one() {
    let pool = pool_of(2);
    let mut most = 0;
    let made = (0..1000_u64).map(|_| {
        most = most.max(here().0);
        numbers(1000)
    });
    assert!(made.par_map(sum).on(&pool).chunk_size(1).unwrap_all().into_iter().all(|sum| sum == sum_to(1000)));
    assert!(most < 100, "{most} of them lived at once");
    pool.shutdown();
    assert_eq!(here(), (0, 0));
}

fn memmap_09_a_file_is_mapped_and_passed_on() {
    let (pool, path) = (pool_of(1), scratch().join("numbers"));
    let bytes: Vec<u8> = (0..5000_u64).flat_map(u64::to_le_bytes).collect();
    fs::write(&path, &bytes).expect("a file");
    let numbers = Shared::<u64>::map_file(&path).expect("it is mapped");
    fs::remove_file(&path).expect("its name is not needed any more");
    assert_eq!(sum.bind(numbers.clone()).on(&pool).run().expect("it travels"), sum_to(5000));
    let back = echo.bind(numbers.slice(10..)).on(&pool).run().expect("it comes back");
    assert!(std::ptr::eq(&back[..], &numbers[10..]));
    fs::write(&path, &bytes[1..]).expect("a file");
    let why = Shared::<u64>::map_file(&path).expect_err("a length that is no array's");
    assert!(why.to_string().contains("39999 bytes"), "{why}");
    assert!(Shared::<u8>::map_file(scratch()).is_err() && Shared::<u8>::map_file(scratch().join("nothing")).is_err());
    fs::write(&path, b"").expect("a file");
    assert!(Shared::<u64>::map_file(&path).expect("nothing is an array").is_empty());
    fs::write(&path, b"abc").expect("a file");
    let error = fails(map_there.bind(path.display().to_string()).on(&pool).run(), ErrorKind::Encode);
    assert!(error.to_string().contains("return its path"), "{error}");
    pool.shutdown();
}

#[loky::task]
fn map_there(path: String) -> Shared<u8> {
    Shared::map_file(path).expect("it is there")
}

#[loky::task]
fn through(depth: u32, numbers: Shared<u64>) -> (u64, Shared<u64>) {
    if depth == 0 {
        return (numbers.iter().sum(), numbers);
    }
    let pool = pool_of(1);
    let (sum, numbers) = through.bind(depth - 1, numbers).on(&pool).run().expect("it is passed on");
    (sum, numbers)
}

fn memmap_15_workers_pass_it_on_to_their_own() {
    let (pool, numbers) = (pool_of(1), numbers(1000));
    let (sum, back) = through.bind(3, numbers.slice(10..)).on(&pool).run().expect("through four pools");
    assert_eq!((sum, here()), (sum_to(1000) - 45, (1, 1)));
    assert!(std::ptr::eq(&back[..], &numbers[10..]), "and back again");
    pool.shutdown();
}

#[loky::task]
fn lengths(nothing: Shared<f64>, units: Shared<()>, one: Shared<u8>) -> (usize, Shared<()>, usize) {
    (nothing.len(), units, one.len())
}

fn memmap_16_nothing_and_next_to_nothing() {
    let pool = pool_of(1);
    let (nothing, units, one) = (Shared::from_vec(vec![]), Shared::from_slice(&[(); 9]), Shared::from_vec(vec![1]));
    let (nothing, units, one) = lengths.bind(nothing, units, one).on(&pool).run().expect("they travel");
    assert_eq!((nothing, units.len(), one), (0, 9, 1));
    let built = Shared::build(3, |bytes: &mut [u8]| bytes.copy_from_slice(b"abc")).expect("three bytes");
    assert!(built[..] == *b"abc" && Shared::build(0, |bytes: &mut [u64]| assert!(bytes.is_empty())).is_ok());
    pool.shutdown();
}

static GIVEN: OnceLock<Shared<u64>> = OnceLock::new();

#[loky::task]
fn keep(numbers: Shared<u64>) {
    GIVEN.set(numbers).expect("once in each worker");
}

#[loky::task]
fn sum_of_given(start: usize) -> u64 {
    GIVEN.get().expect("it was kept")[start..].iter().sum()
}

#[loky::task]
fn give_back() -> (Shared<u64>, Shared<u64>) {
    (GIVEN.get().expect("it was kept").clone(), numbers(5))
}

fn memmap_17_given_to_initializers_and_by_finalizers() {
    let (numbers, told) = (numbers(100_000), Arc::new(Mutex::new(Vec::new())));
    let teller = Arc::clone(&told);
    let builder = Pool::builder().workers(2).initializer(keep.bind(numbers.clone()));
    let builder = builder.finalizer(give_back.bind(), move |value| teller.lock().expect("no panic").push(value));
    for zygote in [false, true] {
        let pool = builder.clone().zygote(zygote).build().expect("a pool");
        pool.warm_up();
        let sums: Vec<u64> = (0..50).par_map(sum_of_given).on(&pool).collect::<Result<_, _>>().expect("no error");
        assert_eq!(sums[0], sum_to(100_000));
        assert_eq!(here(), (1, 1), "all have the same one");
        pool.shutdown();
        let values = std::mem::take(&mut *told.lock().expect("no panic"));
        assert_eq!(values.len(), 2);
        for value in values {
            let (given, made) = value.expect("no error");
            assert!(given == numbers && *made == [0, 1, 2, 3, 4]);
        }
    }
}
