//! A crate that forbids what can be forbidden: neither the attribute nor the macros leave anything to complain about.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
#![deny(future_incompatible, nonstandard_style, rust_2018_idioms, let_underscore, keyword_idents, unused)]
#![deny(trivial_casts, trivial_numeric_casts, unused_lifetimes, unused_qualifications, unused_results)]
#![deny(single_use_lifetimes, unit_bindings, variant_size_differences, explicit_outlives_requirements)]
#![deny(redundant_lifetimes, unused_import_braces, unnameable_types, ambiguous_negative_literals)]

use loky::prelude::*;
use serde::{Deserialize, Serialize};

/// Adds.
#[loky::task]
pub fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Generic, borrowed, async.
#[loky::task]
pub async fn all<T: Clone>(first: &T, others: &[T], label: &str) -> (String, Vec<T>) {
    let first = std::future::ready(first).await;
    (label.to_owned(), std::iter::once(first).chain(others).cloned().collect())
}

/// Something with tasks.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Line {
    slope: i64,
}

#[loky::tasks]
impl Line {
    /// Where it is.
    #[loky::task(timeout = "60s", retries = 1)]
    pub fn at(&self, x: i64) -> i64 {
        self.slope * x
    }
}

loky::main! {
    /// Begins here.
    pub fn main() -> Result<(), loky::Error> {
        assert_eq!((add.run(1, 2)?, add::run(1, 2)?, Line::at.run(&Line { slope: 2 }, 3)?), (3, 3, 6));
        assert_eq!(all.run(&1, &[2], "l")?, ("l".to_owned(), vec![1, 2]));
        assert_eq!(all::run(&1, &[2], "l")?, ("l".to_owned(), vec![1, 2]));
        let k = 2;
        assert_eq!(loky::closure!(|x: i64| x * k).run(3)?, 6);
        Ok(())
    }
}
