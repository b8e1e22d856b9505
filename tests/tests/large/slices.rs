//! Slices that are lent: where they begin, and that nothing of them is lost at any length.

use loky::prelude::*;
use loky_tests::{Case, cases, pool_of};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const CASES: &[Case] = cases![
    ser_09_slices_of_numbers_begin_on_a_cache_line,
    ser_09_slices_behind_others_and_before_them,
    ser_09_vectors_that_are_given_and_lent,
    ser_09_long_items_one_by_one_and_in_chunks,
    ser_09_a_call_that_is_cloned_sends_its_row_twice,
];

/// Where it begins within a cache line, and what is in it.
#[loky::task]
fn seen<T: Clone + Serialize + DeserializeOwned>(numbers: &[T]) -> (usize, Vec<T>) {
    (numbers.as_ptr().addr() % 64, numbers.to_vec())
}

/// Around where rows begin to have memory of their own, where their memory grows, and where large pages begin.
fn lengths() -> impl Iterator<Item = usize> {
    let edges = [16 << 10, 2 << 20, 4 << 20, 64 << 20].into_iter().flat_map(|edge| [edge - 8, edge, edge + 8]);
    [0, 8, 64, 100_000].into_iter().chain(edges)
}

fn ser_09_slices_of_numbers_begin_on_a_cache_line() {
    let pool = pool_of(1);
    for len in lengths() {
        let doubles: Vec<f64> = (0..len / 8).map(|at| at as f64).collect();
        let (place, back) = seen::bind::<f64>(&doubles).on(&pool).run().expect("doubles");
        assert!(back == doubles && (len == 0 || place == 0), "{len} bytes, {place}");
        if len < 1 << 20 {
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let (place, back) = seen::bind::<u8>(&bytes).on(&pool).run().expect("bytes");
            assert!(back == bytes && (len == 0 || place == 0), "{len} bytes, {place}");
            let texts = vec!["abcdefgh".to_string(); len / 100];
            assert!(seen::bind::<String>(&texts).on(&pool).run().expect("texts").1 == texts);
        }
    }
}

#[loky::task]
fn three(first: &[f32], name: &str, last: &[u16]) -> (usize, f32, usize, u64) {
    let places = first.as_ptr().addr() % 64 + last.as_ptr().addr() % 64;
    (places, first.iter().sum(), name.len(), last.iter().map(|&x| u64::from(x)).sum())
}

fn ser_09_slices_behind_others_and_before_them() {
    let pool = pool_of(1);
    let (ones, twos) = (vec![1.0_f32; 50_000], vec![2_u16; 50_000]);
    for len in (0..20).chain([400, 440, 1000, 20_000]) {
        let name = "x".repeat(len);
        let found = three.bind(&ones[..100], &name, &twos).on(&pool).run().expect("three arguments");
        assert_eq!(found, (0, 100.0, len, 100_000));
        let found = three.bind(&ones, &name, &twos[..3]).on(&pool).run().expect("three arguments");
        assert_eq!(found, (0, 50_000.0, len, 6));
    }
}

#[loky::task]
fn two(first: Vec<u64>, second: Vec<u8>) -> (u64, u64) {
    (first.iter().sum(), second.iter().map(|&x| u64::from(x)).sum())
}

fn ser_09_vectors_that_are_given_and_lent() {
    let pool = pool_of(1);
    for (first, second) in
        [(0, 0), (3, 20_000), (20_000, 3), (20_000, 20_000), (2048, 16 << 10), (2047, (16 << 10) - 1)]
    {
        let (ones, twos) = (vec![1_u64; first], vec![2_u8; second]);
        let expected = (first as u64, 2 * second as u64);
        assert_eq!(two.bind(ones.clone(), twos.clone()).on(&pool).run().expect("bound"), expected);
        assert_eq!(two::bind(ones.clone(), twos.clone()).on(&pool).run().expect("the path form"), expected);
        let closure = loky::closure!(|a: Vec<u64>, b: Vec<u8>| (a.len() as u64, 2 * b.len() as u64));
        assert_eq!(closure.bind(ones, twos).on(&pool).run().expect("a closure"), expected);
    }
}

fn ser_09_long_items_one_by_one_and_in_chunks() {
    let pool = pool_of(2);
    let rows: Vec<Vec<f64>> = (0..6).map(|row| vec![f64::from(row); 400_000]).collect();
    for chunk in [1, 4] {
        let found = rows.iter().par_map(seen::<f64>).on(&pool).chunk_size(chunk).unwrap_all();
        assert!(found.iter().zip(&rows).all(|((place, back), row)| *place == 0 && back == row), "chunks of {chunk}");
    }
}

fn ser_09_a_call_that_is_cloned_sends_its_row_twice() {
    let pool = pool_of(2);
    let call = two.bind(vec![], vec![1; 3 << 20]).on(&pool);
    let handles: Vec<_> = (0..5).map(|_| call.clone().spawn()).collect();
    assert!(loky::join_all(handles).expect("all of them").into_iter().all(|sums| sums == (0, 3 << 20)));
}
