//! The library under other names: renamed, and re-exported by a crate between.

#![deny(warnings)]

extern crate loky as other;

mod facade {
    pub mod inner {
        pub use ::other::*;
    }
}

use facade::inner::prelude::*;
use serde::{Deserialize, Serialize};

#[other::task(crate = other)]
fn renamed(text: &str) -> usize {
    text.len()
}

#[facade::inner::task(crate = crate::facade::inner)]
fn re_exported<T: Clone>(all: &[T]) -> Vec<T> {
    all.to_vec()
}

#[derive(Serialize, Deserialize)]
struct Model(u8);

#[other::tasks(crate = ::other)]
impl Model {
    #[other::task]
    fn plus(&self, x: u8) -> u8 {
        self.0 + x
    }

    #[facade::inner::task(crate = crate::facade::inner)]
    fn minus(self, x: u8) -> u8 {
        self.0 - x
    }
}

facade::inner::main! {
    fn main() -> Result<(), other::Error> {
        assert_eq!((renamed.run("a")?, renamed::run("ab")?), (1, 2));
        assert_eq!((re_exported.run(&[1])?, re_exported::run(&['a'])?), (vec![1], vec!['a']));
        assert_eq!((Model::plus.run(&Model(2), 1)?, Model::minus.run(Model(2), 1)?), (3, 1));
        let k = 3;
        assert_eq!((other::closure!(|x: u8| x + k).run(1)?, facade::inner::closure!(|x: u8| x * k).run(1)?), (4, 3));
        Ok(())
    }
}
