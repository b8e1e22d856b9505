//! Generic tasks: any instance, found without a list; and methods, of types that may be generic, too.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Add;

use loky::prelude::*;
use loky_tests::{Case, cases, finish};
use serde::{Deserialize, Serialize};

/// The cases of this file.
pub(crate) const CASES: &[Case] = cases![
    task_40_any_instance_of_a_generic_function,
    task_41_generic_over_what_is_borrowed,
    task_42_constants_and_several_parameters,
    task_43_generic_in_every_form,
    task_44_methods_and_associated_functions,
    task_45_methods_of_generic_types,
    task_46_methods_of_traits,
    task_47_a_generic_function_in_a_function,
];

/// Says nothing of serde.
#[loky::task]
fn double<T: Add<Output = T> + Copy>(x: T) -> T {
    x + x
}

/// Panics with what it is given.
#[loky::task]
fn refuse<T: Debug>(x: T) {
    panic!("not {x:?}")
}

/// Instances differ in what they run, not only in name.
fn task_40_any_instance_of_a_generic_function() {
    assert_eq!(double(2), 4);
    assert_eq!(double.run(3_u8).expect("one"), 6);
    assert!((double.run(1.5_f64).expect("another") - 3.0).abs() < f64::EPSILON);
    assert_eq!(double::<i64>.run(-4).expect("named"), -8);
    assert_eq!(double::run(5_u16).expect("in path form"), 10);
    assert_eq!(double::run::<u32>(6).expect("named, in path form"), 12);
    assert_eq!(double::bind(7_i8).run().expect("bound"), 14);
    let error = refuse.run('x').expect_err("it panics");
    assert_eq!((error.task(), error.panic_message()), (Some("tasks::generic::refuse"), Some("not 'x'")));
    finish();
}

/// Lent, and generic.
#[loky::task]
fn largest<T>(all: &[T]) -> Option<T>
where
    T: PartialOrd + Clone,
{
    all.iter().cloned().reduce(|a, b| if b > a { b } else { a })
}

/// Lent, and perhaps unsized.
#[loky::task]
fn length<T: AsRef<[u8]> + ?Sized>(of: &T) -> usize {
    of.as_ref().len()
}

/// A mixture.
#[loky::task]
fn mixed<'a, T: Debug, U>(label: &'a str, one: &T, all: &'a [U], owned: Vec<T>) -> String
where
    U: Debug + 'a,
{
    format!("{label} {one:?} {all:?} {owned:?}")
}

/// What a task borrows may be of any type, sized or not.
fn task_41_generic_over_what_is_borrowed() {
    assert_eq!(largest.run(&[3, 9, 2]).expect("of numbers"), Some(9));
    assert_eq!(largest.run(&[String::from("a"), String::from("b")]).expect("of texts"), Some("b".to_string()));
    assert_eq!(largest::run::<f64>(&[]).expect("of nothing"), None);
    assert_eq!(length.run("four").expect("of a text"), 4);
    assert_eq!(length.run(&vec![1_u8, 2]).expect("of a vector"), 2);
    assert_eq!(length::run(&[1_u8, 2, 3][..]).expect("of bytes"), 3);
    let expected = "l 1 [2, 3] [4]";
    assert_eq!(mixed.run("l", &1, &[2_u8, 3], vec![4]).expect("in dot form"), expected);
    assert_eq!(mixed::run::<i32, u8>(&String::from("l"), &1, &[2, 3], vec![4]).expect("in path form"), expected);
    finish();
}

/// As many as said.
#[loky::task]
fn repeated<T: Clone, const N: usize>(x: T) -> Vec<T> {
    vec![x; N]
}

/// Bounds that come from the type of a parameter.
#[loky::task]
fn keys<K: Eq + Hash + Ord, V>(of: HashMap<K, V>) -> Vec<K> {
    let mut keys: Vec<K> = of.into_keys().collect();
    keys.sort();
    keys
}

/// Types, constants, types within types.
fn task_42_constants_and_several_parameters() {
    assert_eq!(repeated::<_, 3>.run('x').expect("in dot form"), ['x'; 3]);
    assert_eq!(repeated::run::<u8, 2>(7).expect("in path form"), [7; 2]);
    let map = HashMap::from([(2, 'b'), (1, 'a')]);
    assert_eq!(keys.run(map.clone()).expect("in dot form"), [1, 2]);
    assert_eq!(keys::run(map).expect("in path form"), [1, 2]);
    finish();
}

/// Async, and generic.
#[loky::task]
async fn later<T: Clone>(x: &T) -> (T, T) {
    std::future::ready(()).await;
    (x.clone(), x.clone())
}

/// Const, and generic: nothing can stand in the body of a `const fn`, so only the path form finds its instances.
#[loky::task(name = "picked", timeout = "60s")]
fn picked<T>(all: Vec<T>, index: usize) -> Result<T, String> {
    all.into_iter().nth(index).ok_or_else(|| format!("nothing at {index}"))
}

/// Spawned, mapped, awaited; the options hold.
fn task_43_generic_in_every_form() {
    assert_eq!(later.run(&5_u8).expect("async"), (5, 5));
    assert_eq!(later::run(&'c').expect("async, in path form"), ('c', 'c'));
    let doubled: Vec<u64> = (0..100).par_map(double::<u64>).collect::<Result<_, _>>().expect("mapped");
    assert_eq!(doubled, (0..100).map(double::<u64>).collect::<Vec<_>>());
    let inferred: Vec<u64> = (0..3).par_map(double).unwrap_all();
    assert_eq!(inferred, [0, 2, 4]);
    assert_eq!(vec![vec![1, 2], vec![]].par_map(largest).unwrap_all(), [Some(2), None]);
    let of_references: Vec<i32> = [1, 2].iter().par_map(double::<i32>).unwrap_all();
    assert_eq!(of_references, [2, 4]);
    assert_eq!(picked.run(vec!["a".to_string()], 0).expect("it ran"), Ok("a".to_string()));
    assert_eq!(picked.run(vec![0.5], 7).expect("it ran"), Err("nothing at 7".to_string()));
    let handles = [picked::spawn(vec![1], 0), picked::spawn(vec![2], 0)];
    assert_eq!(loky::join_all(handles).expect("both"), [Ok(1), Ok(2)]);
    finish();
}

/// A model.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Line {
    /// Where it begins.
    offset: i64,
    /// How steep it is.
    slope: i64,
}

#[loky::tasks]
impl Line {
    /// By reference.
    #[loky::task]
    fn at(&self, x: i64) -> i64 {
        self.offset + self.slope * x
    }

    /// Not a task.
    fn flat(offset: i64) -> Self {
        Self { offset, slope: 0 }
    }

    /// By value, with `Self` all over.
    #[loky::task(retries = 1)]
    fn plus(self, others: &[Self]) -> Self {
        let sum = |pick: fn(&Self) -> i64| pick(&self) + others.iter().map(pick).sum::<i64>();
        Self { offset: sum(|line| line.offset), slope: sum(|line| line.slope) }
    }

    /// Without `self`.
    #[loky::task]
    pub(crate) fn through(a: (i64, i64), b: (i64, i64)) -> Option<Self> {
        let slope = (b.1 - a.1).checked_div(b.0 - a.0)?;
        Some(Self { offset: a.1 - slope * a.0, slope })
    }

    /// Generic in a type that is not.
    #[loky::task]
    async fn tagged<T: Debug>(self: Box<Self>, tag: T) -> String {
        format!("{tag:?} {self:?}")
    }
}

/// Methods have the dot form, with the value as first argument.
fn task_44_methods_and_associated_functions() {
    let line = Line { offset: 1, slope: 2 };
    assert_eq!(line.at(3), 7);
    assert_eq!(Line::at.run(&line, 3).expect("by reference"), 7);
    assert_eq!(Line::plus.run(line.clone(), &[Line::flat(1)]).expect("by value"), Line { offset: 2, slope: 2 });
    assert_eq!(Line::through.run((0, 1), (1, 3)).expect("without self"), Some(line.clone()));
    assert_eq!(Line::through.bind((0, 1), (0, 3)).run().expect("without self"), None);
    let tagged = Line::tagged.run(Box::new(line.clone()), 'x').expect("generic and async");
    assert_eq!(tagged, format!("'x' {line:?}"));
    let all: Vec<i64> = vec![(line.clone(), 0), (line, 1)].par_map(Line::at).unwrap_all();
    assert_eq!(all, [1, 3]);
    finish();
}

/// Generic.
#[derive(Clone, Serialize, Deserialize)]
struct Scaled<T, const N: usize> {
    /// By how much.
    factor: T,
}

#[loky::tasks]
impl<T, const N: usize> Scaled<T, N>
where
    T: std::ops::Mul<Output = T> + Copy,
{
    /// Uses the parameters of the type.
    #[loky::task]
    fn all(&self, values: &[T]) -> Vec<T> {
        values.iter().take(N).map(|&value| value * self.factor).collect()
    }

    /// Adds one of its own.
    #[loky::task]
    fn paired<U>(&self, value: T, with: U) -> (T, U) {
        (value * self.factor, with)
    }
}

/// Instances of the type, of the method, of both.
fn task_45_methods_of_generic_types() {
    let (small, large) = (Scaled::<u8, 2> { factor: 2 }, Scaled::<f64, 9> { factor: 0.5 });
    assert_eq!(Scaled::all.run(&small, &[1, 2, 3]).expect("of small numbers"), [2, 4]);
    assert_eq!(Scaled::<f64, 9>::all.run(&large, &[1.0, 2.0, 3.0]).expect("of large ones"), [0.5, 1.0, 1.5]);
    assert_eq!(Scaled::paired.run(&small, 4, "x".to_string()).expect("paired"), (8, "x".to_string()));
    assert_eq!(Scaled::paired.bind(&small, 4, ()).run().expect("bound"), (8, ()));
    finish();
}

/// A trait of ours.
trait Area {
    /// How large it is.
    fn area(&self) -> u64;
}

/// A square.
#[derive(Serialize, Deserialize)]
struct Square(u64);

#[loky::tasks]
impl Area for Square {
    #[loky::task(name = "area of a square")]
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}

/// A trait's method is a task for the type that says so.
fn task_46_methods_of_traits() {
    assert_eq!(Square::area.run(&Square(3)).expect("by type"), 9);
    assert_eq!(<Square as Area>::area.run(&Square(2)).expect("by type and trait"), 4);
    finish();
}

/// Functions in functions may be generic, and generic functions may have functions in them.
fn task_47_a_generic_function_in_a_function() {
    /// Inside, with a task inside, with an item of its own name inside.
    #[loky::task]
    fn outer<T: Into<u64>>(x: T) -> Result<u64, loky::Error> {
        #[loky::task]
        fn inner<T: Into<u64>>(x: T) -> u64 {
            const fn outer() -> u64 {
                1
            }
            x.into() + outer()
        }
        inner.run(x.into())
    }
    assert_eq!(outer.run(41_u8).expect("it ran").expect("and so did what it spawned"), 42);
    finish();
}
