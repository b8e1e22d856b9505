//! Tasks in impl blocks: several blocks, generic ones, those of traits; `Self` wherever it can be.

#![deny(warnings)]

use std::fmt::Debug;

use loky::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
struct Line {
    slope: i64,
}

type Alias = Line;

impl Line {
    const ZERO: Self = Self { slope: 0 };
    const SIZE: usize = 2;
}

#[loky::tasks]
impl Line {
    const STEEP: i64 = 100;

    #[loky::task]
    fn at(&self, x: i64) -> i64 {
        self.slope * x + Self::STEEP
    }

    #[loky::task]
    fn all(self, others: Vec<Self>, pair: (Self, Option<Self>), array: [Self; 2]) -> Result<Vec<Self>, String> {
        let first = [self, pair.0].into_iter().chain(pair.1);
        Ok(first.chain(others).chain(array).filter(|line| *line != Self::ZERO).collect())
    }

    #[loky::task]
    fn mutable(mut self, #[allow(unused_variables)] by: i64) -> Self {
        self.slope += by;
        self
    }

    #[loky::task]
    fn boxed(self: Box<Self>, borrowed: &Self) -> bool {
        *self == *borrowed
    }

    #[loky::task]
    fn named(this: &Self) -> String {
        this.to_string()
    }

    fn to_string(&self) -> String {
        format!("{}", self.slope)
    }
}

#[loky::tasks]
impl Alias {
    #[loky::task(name = "by alias", retries = 1)]
    #[must_use]
    pub(crate) async fn later(&self) -> i64 {
        std::future::ready(self.slope).await
    }

    #[loky::task]
    #[cfg(any())]
    fn conditional(&self) -> Missing {}

    #[cfg(not(any()))]
    #[loky::task]
    fn conditional(&self) -> usize {
        Self::SIZE
    }
}

mod elsewhere {
    #[loky::tasks]
    impl super::Line {
        #[loky::task]
        pub(super) fn from_elsewhere(&self) -> super::Line {
            self.clone()
        }
    }
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Of<T, const N: usize>(T);

#[loky::tasks]
impl<T: Clone + Debug + 'static, const N: usize> Of<T, N> {
    #[loky::task]
    fn repeated(&self) -> Vec<T> {
        vec![self.0.clone(); N]
    }

    #[loky::task]
    fn with<U: Debug>(self, other: &[U]) -> (Self, String) {
        let text = format!("{other:?}");
        (self, text)
    }
}

#[loky::tasks]
impl<const N: usize> Of<u8, N> {
    #[loky::task]
    fn only_of_bytes(&self) -> usize {
        usize::from(self.0) + N
    }
}

trait Shape {
    type Unit;
    fn area(&self, unit: Self::Unit) -> Self::Unit;
    fn name() -> String;
}

#[loky::tasks]
impl Shape for Line {
    type Unit = i64;

    #[loky::task]
    fn area(&self, unit: Self::Unit) -> Self::Unit {
        self.slope * unit
    }

    #[loky::task]
    fn name() -> String {
        "line".into()
    }
}

#[loky::tasks]
impl<T: Debug + Serialize + for<'de> Deserialize<'de> + 'static, const N: usize> Shape for Of<T, N> {
    type Unit = u8;

    #[loky::task]
    fn area(&self, unit: u8) -> u8 {
        unit * 2
    }

    fn name() -> String {
        "not a task".into()
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let line = Line { slope: 3 };
        assert_eq!((Line::at.run(&line, 2)?, Alias::later.run(&line)?, Line::conditional.run(&line)?), (106, 3, 2));
        let all = Line::all.run(line.clone(), vec![], (Line::ZERO, None), [Line::ZERO, line.clone()])?;
        assert_eq!(all, Ok(vec![line.clone(), line.clone()]));
        assert_eq!(Line::mutable.run(line.clone(), 1)?, Line { slope: 4 });
        assert!(Line::boxed.run(Box::new(line.clone()), &line)?);
        assert_eq!((Line::named.run(&line)?, Line::from_elsewhere.run(&line)?), ("3".to_owned(), line.clone()));
        assert_eq!((Of::repeated.run(&Of::<_, 2>('x'))?, Of::<u8, 1>::only_of_bytes.run(&Of(2))?), (vec!['x'; 2], 3));
        assert_eq!(Of::with.run(Of::<_, 1>(()), &[1])?, (Of(()), "[1]".to_owned()));
        assert_eq!((Line::area.run(&line, 2)?, <Line as Shape>::name.run()?), (6, "line".to_owned()));
        assert_eq!((Of::<char, 3>::area.run(&Of('x'), 4)?, Of::<u8, 0>::name()), (8, "not a task".to_owned()));
        Ok(())
    }
}
