//! How often what was seen: a simulation in which something never happens proves nothing about it.

use std::fmt::Debug;

/// What one may see in a world.
pub(crate) trait Sights: Copy + Debug + Send + 'static {
    const ALL: &'static [Self];

    /// Its place among all.
    fn place(self) -> usize;
}

/// An enum of sights, all of them told once.
macro_rules! sights {
    ($(#[$about:meta])* $seen:vis enum $name:ident { $($(#[$what:meta])* $sight:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $seen enum $name { $($(#[$what])* $sight,)* }

        impl $crate::worlds::Sights for $name {
            const ALL: &'static [Self] = &[$(Self::$sight,)*];

            fn place(self) -> usize {
                self as usize
            }
        }
    };
}
pub(crate) use sights;

/// A count of each sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally<S> {
    counts: Vec<u64>,
    of: std::marker::PhantomData<S>,
}

impl<S: Sights> Default for Tally<S> {
    fn default() -> Self {
        Self { counts: vec![0; S::ALL.len()], of: std::marker::PhantomData }
    }
}

impl<S: Sights> Tally<S> {
    pub(crate) fn of(&self, sight: S) -> u64 {
        self.counts[sight.place()]
    }

    pub(crate) fn saw(&mut self, sight: S) {
        self.counts[sight.place()] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, part)| *sum += part);
    }

    /// What was never seen.
    pub(crate) fn missing(&self) -> Vec<S> {
        S::ALL.iter().copied().filter(|&sight| self.of(sight) == 0).collect()
    }

    pub(crate) fn table(&self) -> String {
        S::ALL.iter().map(|&sight| format!("{:>12} {sight:?}\n", self.of(sight))).collect()
    }
}
