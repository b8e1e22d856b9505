//! Generics of every kind: constants, lifetimes, associated types, bounds in any place, types that are not sized.

#![deny(warnings)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::marker::PhantomData;

use loky::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

trait Stock {
    type Item: Debug;
    const NAME: &'static str;
}

struct Fruit;

impl Stock for Fruit {
    type Item = String;
    const NAME: &'static str = "fruit";
}

#[loky::task]
fn associated<S: Stock>(item: S::Item, all: &[S::Item]) -> String {
    format!("{} {item:?} {all:?}", S::NAME)
}

#[loky::task]
fn projected<I>(all: Vec<I>) -> Option<<I as std::ops::Add>::Output>
where
    I: std::ops::Add + Copy,
{
    all.first().map(|&x| x + x)
}

#[loky::task]
fn constants<T: Copy + Default, const N: usize, const FLIP: bool>(x: T) -> Vec<T> {
    let mut all = vec![x; N];
    if FLIP {
        all.push(T::default());
    }
    all
}

#[loky::task]
fn bytes<const N: usize>(name: &str) -> Cow<'static, str> {
    Cow::Owned(name.repeat(N))
}

#[loky::task]
fn not_sized<T: ?Sized + AsRef<str>>(text: &T) -> usize {
    text.as_ref().len()
}

#[loky::task]
fn lifetimes<'a, 'b: 'a, T>(a: &'a T, b: &'b [T]) -> Vec<T>
where
    T: Clone + PartialEq + 'a,
    for<'c> &'c T: PartialEq<&'c T>,
{
    b.iter().chain([a]).cloned().collect()
}

#[loky::task]
fn said_twice<T: Serialize + DeserializeOwned + Debug + Send + 'static>(x: T) -> T {
    x
}

#[loky::task]
fn only_a_marker<T>(marker: PhantomData<T>) -> usize {
    let _ = marker;
    size_of::<T>()
}

#[loky::task]
fn only_in_the_body<T: Default + Display>() -> String {
    T::default().to_string()
}

#[loky::task]
fn keyed<K: Eq + Hash + Ord, V: Default>(keys: Vec<K>) -> BTreeMap<K, V> {
    keys.into_iter().map(|key| (key, V::default())).collect()
}

#[loky::task]
fn depth<T: Clone>(x: &T, n: u32) -> u32 {
    if n == 0 { 0 } else { 1 + depth(&x.clone(), n - 1) }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
struct Pair<A, B = A> {
    a: A,
    b: B,
}

#[loky::task]
fn swapped<A, B>(pair: Pair<A, B>) -> Pair<B, A> {
    Pair { a: pair.b, b: pair.a }
}

/// An instance that is named in generic code alone.
fn by_type<T: Clone + Serialize + DeserializeOwned + 'static>(x: T) -> Result<Pair<u8, T>, loky::Error> {
    swapped.run(Pair { a: x, b: 1 })
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!(associated::<Fruit>.run("a".into(), &[])?, "fruit \"a\" []");
        assert_eq!(associated::run::<Fruit>("a".into(), &["b".into()])?, "fruit \"a\" [\"b\"]");
        assert_eq!((projected.run(vec![1, 2])?, projected::run(vec![0.5])?), (Some(2), Some(1.0)));
        assert_eq!(constants::<_, 2, true>.run('x')?, ['x', 'x', '\0']);
        assert_eq!(constants::run::<u8, 1, false>(7)?, [7]);
        assert_eq!((bytes::<2>.run("ab")?, bytes::run::<1>("ab")?), ("abab".into(), "ab".into()));
        assert_eq!((not_sized.run("four")?, not_sized.run(&String::from("x"))?, not_sized::run::<str>("")?), (4, 1, 0));
        assert_eq!(lifetimes.run(&1, &[2])?, [2, 1]);
        assert_eq!((said_twice.run(())?, only_a_marker::<u64>.run(PhantomData)?), ((), 8));
        assert_eq!((only_in_the_body::<bool>.run()?, only_in_the_body::run::<u8>()?), ("false".into(), "0".into()));
        assert_eq!(keyed::<_, char>.run(vec![1])?, BTreeMap::from([(1, '\0')]));
        assert_eq!((depth.run(&'x', 5)?, swapped.run(Pair { a: 1, b: 'b' })?), (5, Pair { a: 'b', b: 1 }));
        assert_eq!(by_type("x".to_owned())?, Pair { a: 1, b: "x".to_owned() });
        Ok(())
    }
}
