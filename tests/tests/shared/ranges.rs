//! Slices that lie inside of a shared array, given to tasks that borrow a slice: they travel as ranges, of numbers and of
//! whatever else is plain data.

use bytemuck::{Pod, Zeroable};
use loky::Shared;
use loky::prelude::*;
use loky_tests::{Case, cases, pool_of, procfs};
use serde::{Deserialize, Serialize};

use crate::tools::{here, mapped_by};

pub(crate) const CASES: &[Case] = cases![
    memmap_03_a_slice_of_a_users_type_travels_as_a_range,
    memmap_03_wherever_such_a_slice_stands,
    memmap_03_parts_of_an_array_for_a_task_that_borrows,
    memmap_03_slices_that_are_no_range_travel_all_the_same,
];

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable, Serialize, Deserialize)]
#[repr(C)]
struct Particle {
    place: [f64; 3],
    mass: f32,
    kind: u32,
}

fn particles(count: u32) -> Vec<Particle> {
    (0..count).map(|kind| Particle { place: [f64::from(kind); 3], mass: 0.5, kind }).collect()
}

fn sum_to(end: u64) -> u64 {
    end * (end - 1) / 2
}

/// What they are in sum, and where they lie.
#[loky::task]
fn weigh(particles: &[Particle]) -> (u64, usize) {
    (particles.iter().map(|particle| u64::from(particle.kind)).sum(), particles.as_ptr().addr())
}

#[loky::task]
fn weigh_any<T: Copy + Serialize + for<'de> Deserialize<'de>>(values: &[T]) -> (usize, usize) {
    (values.len(), values.as_ptr().addr())
}

#[loky::task]
fn weigh_owned(particles: Vec<Particle>) -> u64 {
    weigh(&particles).0
}

#[loky::task]
fn weigh_two(first: &[Particle], factor: u64, second: &[[f64; 3]]) -> f64 {
    (weigh(first).0 * factor) as f64 + second.iter().flatten().sum::<f64>()
}

fn memmap_03_a_slice_of_a_users_type_travels_as_a_range() {
    let (pool, all) = (pool_of(1), Shared::from_vec(particles(10_000)));
    let (sum, address) = weigh.bind(&all).on(&pool).run().expect("all of it");
    assert_eq!((sum, mapped_by(procfs::workers()[0]), here()), (sum_to(10_000), 1, (1, 1)), "it is the same memory");
    assert_eq!(address % 4096, 0, "mapped, and not copied");
    let (sum, part) = weigh.bind(&all[5000..]).on(&pool).run().expect("a part of it");
    assert_eq!((sum, part), (sum_to(10_000) - sum_to(5000), address + 5000 * size_of::<Particle>()));
    assert_eq!(weigh::bind(&all).on(&pool).run().expect("by its path"), (sum_to(10_000), address));
    assert_eq!(weigh_any::<Particle>.bind(&all).on(&pool).run().expect("a generic task"), (10_000, address));
    let last = loky::closure!(|all: &[Particle]| (all[all.len() - 1].kind, all.as_ptr().addr()));
    assert_eq!(last.bind(&all).on(&pool).run().expect("a closure"), (9999, address));
    pool.shutdown();
}

fn memmap_03_wherever_such_a_slice_stands() {
    let (pool, all) = (pool_of(1), Shared::from_vec(particles(10_000)));
    let points = Shared::from_vec(vec![[1.0; 3]; 10_000]);
    let expected = sum_to(10_000) as f64 * 2.0 + 30_000.0;
    assert_eq!(weigh_two.bind(&all, 2, &points).on(&pool).run().expect("two of them"), expected);
    assert_eq!(mapped_by(procfs::workers()[0]), 2);
    let address = weigh.bind(&all).on(&pool).run().expect("all of it").1;
    let chunks = all.chunks(2500).par_map(weigh).on(&pool).unwrap_all();
    let at: Vec<_> = chunks.iter().map(|(_, at)| at - address).collect();
    assert_eq!(at, [0, 2500, 5000, 7500].map(|first| first * size_of::<Particle>()));
    let owned = all.chunks(2500).par_map(weigh_owned).on(&pool).unwrap_all();
    assert_eq!(owned.iter().sum::<u64>(), sum_to(10_000), "a task that wants its own gets a copy");
    let tuples = all.chunks(5000).map(|chunk| (chunk, 1_u64, &points[..1000]));
    assert_eq!(tuples.par_map(weigh_two).on(&pool).unwrap_all().iter().sum::<f64>(), sum_to(10_000) as f64 + 6000.0);
    let back = loky::closure!(|at: usize| Shared::from_vec(particles(1000)).slice(at..));
    let made = back.bind(10).on(&pool).run().expect("a result");
    assert_eq!(weigh.bind(&made).on(&pool).run().expect("and an argument").0, sum_to(1000) - sum_to(10));
    pool.shutdown();
}

#[loky::task]
fn sum(numbers: &[u64]) -> (u64, usize) {
    (numbers.iter().sum(), numbers.as_ptr().addr())
}

#[loky::task]
fn sum_times(numbers: &[u64], factor: u64) -> u64 {
    numbers.iter().sum::<u64>() * factor
}

fn memmap_03_parts_of_an_array_for_a_task_that_borrows() {
    let (pool, all) = (pool_of(1), Shared::from_vec((0..100_000).collect::<Vec<u64>>()));
    let address = sum.bind(&all).on(&pool).run().expect("all of it").1;
    let sums = all.par_chunks(10_000).par_map(sum).on(&pool).unwrap_all();
    assert_eq!(sums.iter().map(|(sum, _)| sum).sum::<u64>(), sum_to(100_000));
    assert!(sums.iter().zip(0..).all(|((_, at), part)| *at == address + part * 80_000), "none was copied");
    let parts: Vec<_> = all.par_chunks(30_000).collect();
    let sums = parts.iter().par_map(sum).on(&pool).unwrap_all();
    assert!(sums.iter().zip(0..).all(|((_, at), part)| *at == address + part * 240_000), "lent parts neither");
    let doubled = parts.iter().map(|part| (part.clone(), 2)).par_map(sum_times).on(&pool).unwrap_all();
    assert_eq!(doubled.iter().sum::<u64>(), 2 * sum_to(100_000));
    let by_closure = parts.iter().par_map(loky::closure!(|part: &[u64]| part.as_ptr().addr())).on(&pool).unwrap_all();
    assert_eq!(by_closure[0], address);
    let tiny: u64 = all.par_chunks(7).par_map(sum).on(&pool).unwrap_all().iter().map(|(sum, _)| sum).sum();
    assert_eq!((tiny, mapped_by(procfs::workers()[0])), (sum_to(100_000), 1));
    let own = Shared::from_vec(particles(10_000));
    let weights = own.par_chunks(1000).par_map(weigh).on(&pool).unwrap_all();
    let first = weights[0].1;
    assert!(weights.iter().zip(0..).all(|((_, at), part)| *at == first + part * 1000 * size_of::<Particle>()));
    pool.shutdown();
}

fn memmap_03_slices_that_are_no_range_travel_all_the_same() {
    let (pool, all) = (pool_of(1), Shared::from_vec(particles(10_000)));
    let elsewhere = all.to_vec();
    assert_eq!(weigh.bind(&elsewhere).on(&pool).run().expect("copied").0, sum_to(10_000));
    assert_eq!(weigh.bind(&all[..3]).on(&pool).run().expect("too short to be worth it").0, 3);
    assert_eq!(weigh.bind(&[]).on(&pool).run().expect("nothing").0, 0);
    assert_eq!(mapped_by(procfs::workers()[0]), 0, "none of these needs the array there");
    let bytes: &[u8] = bytemuck::cast_slice(&all);
    let (len, _) = weigh_any::<u8>.bind(bytes).on(&pool).run().expect("its bytes");
    assert_eq!((len, mapped_by(procfs::workers()[0])), (10_000 * size_of::<Particle>(), 1), "bytes are numbers");
    let triples: &[[f64; 3]] = &vec![[0.5; 3]; 10_000];
    let (len, _) = weigh_any::<[f64; 3]>.bind(triples).on(&pool).run().expect("of no array");
    assert_eq!(len, 10_000);
    pool.shutdown();
}
