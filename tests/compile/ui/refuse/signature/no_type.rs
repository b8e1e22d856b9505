//! Types that do not say what travels: `impl Trait`, `dyn Trait`, boxed and lent.

use std::fmt::{Debug, Display};

#[loky::task]
fn arguments(a: impl Display, b: &impl Debug, c: Vec<impl Debug>, d: &dyn Debug) -> String {
    format!("{a}{b:?}{c:?}{d:?}")
}

#[loky::task]
fn one() -> impl Display {
    1
}

#[loky::task]
fn several() -> Vec<impl Display> {
    vec![1]
}

fn main() {
    arguments(1, &2, vec![3], &4);
    one();
    several();
}
