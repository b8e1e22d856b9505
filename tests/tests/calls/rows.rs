//! Long rows of numbers: they travel in a way of their own, and must arrive like everything else.

use std::collections::BTreeMap;

use loky::prelude::*;
use loky_tests::{Case, Gate, cases, pool_of};

pub(crate) const CASES: &[Case] = cases![
    ser_08_one_row_of_any_length: 600,
    ser_09_rows_of_every_width_and_length,
    ser_09_rows_behind_other_arguments,
    ser_09_rows_both_ways_at_once,
    ser_09_rows_as_items,
    ser_09_a_row_is_there_for_another_attempt,
];

/// How many there are, and the sum of some.
#[loky::task]
fn weigh(row: &[u8]) -> (usize, u64) {
    (row.len(), row.iter().step_by(4099).map(|byte| u64::from(*byte)).sum())
}

#[loky::task]
fn fill(len: usize) -> Vec<u8> {
    vec![7; len]
}

/// 64 MiB there and back, or as many as `LOKY_TESTS_ROW_MIB` says: 2100 are more than what 31 bits can count. It takes
/// six times as much memory.
fn ser_08_one_row_of_any_length() {
    let given = std::env::var("LOKY_TESTS_ROW_MIB").ok();
    let len = given.map_or(64, |mib| mib.parse::<usize>().expect("a number of MiB")) << 20;
    let (pool, row) = (pool_of(1), fill(len));
    let (there, sum) = weigh.bind(&row).on(&pool).run().expect("it fits");
    assert_eq!((there, (there, sum)), (len, weigh(&row)));
    drop(row);
    let back = fill.bind(len).on(&pool).run().expect("the other way round");
    assert_eq!(weigh(&back), (len, sum));
}

#[loky::task]
fn same<T: serde::Serialize + serde::de::DeserializeOwned>(row: Vec<T>) -> Vec<T> {
    row
}

/// Around where rows begin to have memory of their own, where the ring ends and where memory begins to grow, and some
/// between.
fn lengths() -> impl Iterator<Item = usize> {
    let edges = [16 << 10, 1 << 20, 2 << 20, 4 << 20].into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]);
    [0, 1, 100_003].into_iter().chain(edges)
}

fn ser_09_rows_of_every_width_and_length() {
    let pool = pool_of(1);
    for len in lengths() {
        let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        assert!(same::bind::<u8>(bytes.clone()).on(&pool).run().expect("bytes") == bytes, "{len} bytes");
        let shorts: Vec<i16> = (0..len / 2).map(|at| at as i16).collect();
        assert!(same::bind::<i16>(shorts.clone()).on(&pool).run().expect("shorts") == shorts, "{len} bytes");
        let texts = vec!["abcdefgh".to_string(); len / 1000];
        assert!(same::bind::<String>(texts.clone()).on(&pool).run().expect("no row") == texts, "{len} bytes");
        // All sorts of bits, those of numbers that are none among them.
        let floats: Vec<f32> = (0..len / 4).map(|at| f32::from_bits((at as u32).wrapping_mul(0x9E37_79B9))).collect();
        let back = same::bind::<f32>(floats.clone()).on(&pool).run().expect("floats");
        assert!(back.iter().map(|x| x.to_bits()).eq(floats.iter().map(|x| x.to_bits())), "{len} bytes");
        let doubles: Vec<f64> =
            (0..len / 8).map(|at| f64::from_bits((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        let back = same::bind::<f64>(doubles.clone()).on(&pool).run().expect("doubles");
        assert!(back.iter().map(|x| x.to_bits()).eq(doubles.iter().map(|x| x.to_bits())), "{len} bytes");
    }
}

#[loky::task]
fn behind(name: &str, first: &[u32], second: &[f64]) -> (usize, u64, f64) {
    (name.len(), first.iter().map(|&x| u64::from(x)).sum(), second.iter().sum())
}

#[loky::task]
fn before(row: Vec<f64>, last: u8) -> (f64, u8) {
    (row.iter().sum(), last)
}

#[loky::task]
fn inside(rows: BTreeMap<u8, Vec<u16>>) -> BTreeMap<u8, Vec<u16>> {
    rows
}

fn ser_09_rows_behind_other_arguments() {
    let pool = pool_of(1);
    let (ones, halves) = (vec![1_u32; 30_000], vec![0.5; 40_000]);
    for len in (0..20).chain([400, 440, 1000, 20_000]) {
        let name = "x".repeat(len);
        for count in [0, 1, 9, 30_000] {
            let found = behind.bind(&name, &ones[..count], &halves).on(&pool).run().expect("three arguments");
            assert_eq!(found, (len, count as u64, 20_000.0), "{len} letters and {count} numbers");
        }
    }
    assert_eq!(before.bind(halves.clone(), 7).on(&pool).run().expect("the row comes first"), (20_000.0, 7));
    let rows: BTreeMap<_, _> = (0..3).map(|key| (key, vec![7; 20_000])).collect();
    assert!(inside.bind(rows.clone()).on(&pool).run().expect("rows inside") == rows);
    let factor = 2.0;
    let scale = loky::closure!(|row: Vec<f64>| row.iter().map(|x| x * factor).collect::<Vec<f64>>());
    assert!(scale.bind(halves).on(&pool).run().expect("by a closure") == vec![1.0; 40_000]);
}

fn ser_09_rows_both_ways_at_once() {
    let pool = pool_of(2);
    let sent: Vec<Vec<u64>> = (0..20).map(|call| vec![call; 400_000]).collect();
    let handles: Vec<_> = sent.iter().map(|row| same::bind::<u64>(row.clone()).on(&pool).spawn()).collect();
    for (row, handle) in sent.iter().zip(handles) {
        assert!(handle.join().expect("one after the other") == *row);
    }
}

#[loky::task]
fn filled(with: u32) -> Vec<u32> {
    vec![with; 10_000]
}

fn ser_09_rows_as_items() {
    let pool = pool_of(2);
    for chunk in [1, 3] {
        for (place, row) in (0..10_u32).par_map(filled).on(&pool).chunk_size(chunk).enumerate() {
            assert!(row.expect("a row") == vec![place as u32; 10_000], "chunks of {chunk}");
        }
        let rows = (0..10_u64).map(|with| vec![with; 5000]);
        let sums: Vec<u64> = rows.par_map(sum).on(&pool).chunk_size(chunk).map(|sum| sum.expect("a sum")).collect();
        assert_eq!(sums, (0..10).map(|with| with * 5000).collect::<Vec<_>>(), "chunks of {chunk}");
    }
}

#[loky::task]
fn sum(row: Vec<u64>) -> u64 {
    row.into_iter().sum()
}

#[loky::task]
fn fails_at_first(gate: Gate, mut row: Vec<u64>) -> u64 {
    if gate.arrivals().is_empty() {
        gate.arrive("first");
        row.fill(0);
        std::process::abort();
    }
    row.into_iter().sum()
}

fn ser_09_a_row_is_there_for_another_attempt() {
    let (pool, gate) = (pool_of(1), Gate::new("gate"));
    let call = fails_at_first.bind(gate, vec![3; 300_000]).on(&pool).retries(1);
    assert_eq!(call.run().expect("the second attempt"), 900_000);
}
