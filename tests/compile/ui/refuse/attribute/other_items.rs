//! The attribute on every sort of item that is no function.

#[loky::task]
struct Model;

#[loky::task]
enum Either {
    One,
}

#[loky::task]
trait Work {
    fn work(&self);
}

#[loky::task]
impl Model {
    fn predict(&self) {}
}

#[loky::task]
const LIMIT: u8 = 1;

#[loky::task]
static COUNT: u8 = 2;

#[loky::task]
use std::fmt::Debug;

#[loky::task]
type Alias = u8;

#[loky::task]
macro_rules! nothing {
    () => {};
}

fn shown(it: impl Debug) -> String {
    format!("{it:?}")
}

fn main() {
    Model.predict();
    let _ = (Either::One, LIMIT, COUNT, 1 as Alias, shown(1));
    nothing!();
}

impl Work for Model {
    fn work(&self) {}
}
