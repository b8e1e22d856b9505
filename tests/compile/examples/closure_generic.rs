//! Closures in generic code: each instance has its own.

#![deny(warnings)]

use std::fmt::Display;
use std::ops::Mul;

use serde::{Serialize, de::DeserializeOwned};

trait Wire: Serialize + DeserializeOwned + 'static {}

impl<T: Serialize + DeserializeOwned + 'static> Wire for T {}

fn scaled<T: Wire + Mul<Output = T> + Copy>(k: T, x: T) -> Result<T, loky::Error> {
    loky::closure!(|x: T| x * k).run(x)
}

fn sized<T: Wire + Default + Display, const N: usize>(all: [u8; N]) -> Result<String, loky::Error> {
    let all = all.to_vec();
    loky::closure!(|| format!("{} {} {} {:?}", T::default(), N, size_of::<T>(), all)).run()
}

fn lent<T: Wire + Clone>(one: &T, all: &[T], text: &str) -> Result<(Vec<T>, usize), loky::Error> {
    loky::closure!(|n: usize| {
        let mut found = vec![one.clone(); n];
        found.extend_from_slice(all);
        (found, text.len())
    })
    .run(1)
}

struct Over<T>(T);

impl<T: Wire + Clone + Into<u64>> Over<T> {
    fn total(&self, others: Vec<T>) -> Result<u64, loky::Error> {
        let first = &self.0;
        loky::closure!(|| others.iter().chain([first]).cloned().map(Into::into).sum::<u64>()).run()
    }
}

fn mapped<T: Wire + Clone>(items: Vec<u8>, with: &T) -> Result<Vec<(u8, T)>, loky::Error> {
    use loky::prelude::*;
    items.into_iter().par_map(loky::closure!(|x: u8| (x, with.clone()))).collect()
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((scaled(2_u8, 3)?, scaled(0.5, 3.0)?), (6, 1.5));
        assert_eq!((sized::<u8, 1>([7])?, sized::<bool, 2>([1, 2])?), ("0 1 1 [7]".into(), "false 2 1 [1, 2]".into()));
        assert_eq!(lent(&'a', &['b'], "text")?, (vec!['a', 'b'], 4));
        assert_eq!((Over(1_u8).total(vec![2])?, Over(1_u32).total(vec![])?), (3, 1));
        assert_eq!(mapped(vec![1, 2], &"x".to_owned())?, [(1, "x".to_owned()), (2, "x".to_owned())]);
        Ok(())
    }
}
