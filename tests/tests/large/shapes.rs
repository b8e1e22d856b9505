//! Natural shapes: rows of numbers wherever in a value they stand, and of users' own plain data where they say so.

use std::collections::BTreeMap;

use loky::prelude::*;
use loky_tests::{Case, cases, pool_of};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) const CASES: &[Case] = cases![
    ser_09_natural_shapes_arrive_as_they_went,
    ser_09_plain_data_of_users_arrives_in_bulk,
    ser_09_a_result_has_the_memory_of_its_argument_unless_it_is_tried_again,
];

#[loky::task]
fn same<T: Serialize + DeserializeOwned>(value: T) -> T {
    value
}

#[loky::task]
fn lent<T: Clone + Serialize + DeserializeOwned>(values: &[T]) -> Vec<T> {
    values.to_vec()
}

#[derive(Clone, Serialize, Deserialize, PartialEq, Debug)]
struct Matrix {
    data: Vec<f64>,
    shape: (usize, usize),
    names: Option<Vec<String>>,
    weights: Option<Vec<f32>>,
}

fn ser_09_natural_shapes_arrive_as_they_went() {
    let pool = pool_of(1);
    for len in [0, 1, 1000, 700_000] {
        let numbers: Vec<f64> = (0..len).map(f64::from).collect();
        let points: Vec<[f64; 3]> = numbers.iter().map(|&x| [x, -x, 0.5]).collect();
        let data = numbers.clone();
        let matrix = Matrix { data, shape: (1, numbers.len()), names: None, weights: Some(vec![0.5; numbers.len()]) };
        returns(&pool, Some(numbers.clone()));
        returns(&pool, (numbers.clone(), vec![7_u8; numbers.len()], "between".to_string(), vec![-1_i32; 3]));
        returns(&pool, vec![numbers.clone(), vec![], vec![1.5]]);
        returns(&pool, BTreeMap::from([(1, matrix.clone()), (2, matrix.clone())]));
        returns(&pool, Ok::<Matrix, String>(matrix));
        returns(&pool, points.clone());
        assert!(lent::bind::<[f64; 3]>(&points).on(&pool).run().expect("points") == points);
        let letters = vec![[b'x'; 4]; numbers.len()];
        assert!(lent::bind::<[u8; 4]>(&letters).on(&pool).run().expect("letters") == letters);
        returns(&pool, letters);
    }
}

fn returns<T: Clone + Serialize + DeserializeOwned + PartialEq + 'static>(pool: &loky::Pool, value: T) {
    assert!(same::bind::<T>(value.clone()).on(pool).run().expect("it arrives") == value);
}

#[derive(Clone, Serialize, Deserialize, PartialEq, Debug)]
struct Swarm {
    before: u8,
    #[serde(with = "loky::bulk")]
    places: Vec<[u16; 7]>,
    after: String,
}

fn ser_09_plain_data_of_users_arrives_in_bulk() {
    let pool = pool_of(1);
    for len in [0, 1, 1000, 500_000] {
        let places = (0..len).map(|place| [place as u16; 7]).collect();
        returns(&pool, Swarm { before: 1, places, after: "after".to_string() });
    }
    let short = serde_json::from_str::<Swarm>(r#"{"before": 1, "places": [1, 2, 3], "after": ""}"#);
    assert!(short.is_err_and(|why| why.to_string().contains("values of 14 bytes")));
    let whole = Swarm { before: 1, places: vec![[258; 7]], after: String::new() };
    let text = serde_json::to_string(&whole).expect("numbers");
    assert_eq!(serde_json::from_str::<Swarm>(&text).expect("the same numbers"), whole);
}

fn ser_09_a_result_has_the_memory_of_its_argument_unless_it_is_tried_again() {
    let pool = pool_of(1);
    for (retries, is_same) in [(0, true), (1, false)] {
        let numbers: Vec<f64> = (0..1 << 20).map(f64::from).collect();
        let (start, sum) = (numbers.as_ptr(), numbers.iter().sum::<f64>());
        let back = same::bind::<Vec<f64>>(numbers).on(&pool).retries(retries).run().expect("numbers");
        assert_eq!((back.as_ptr() == start, back.len(), back.iter().sum::<f64>()), (is_same, 1 << 20, sum));
    }
    // Nor if somebody else has it.
    let call = same::bind::<Vec<f64>>(vec![0.5; 1 << 20]).on(&pool);
    let results = [call.clone().run(), call.run()].map(|result| result.expect("numbers"));
    assert!(results.iter().all(|numbers| numbers.len() == 1 << 20 && numbers.iter().all(|&number| number == 0.5)));
    // What comes back is shorter, and what is kept is not longer than it need be.
    let short = shortened.bind(vec![7_u64; 1 << 20]).on(&pool).run().expect("numbers");
    assert!(short == [7; 4096] && short.capacity() < 8192);
}

#[loky::task]
fn shortened(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.truncate(4096);
    numbers
}
