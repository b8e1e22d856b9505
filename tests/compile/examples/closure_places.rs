//! Wherever an expression can be written, a closure can: in conditions, arguments, other macros, statics, loops.

#![deny(warnings)]

use std::sync::LazyLock;

use loky::prelude::*;

static MADE: LazyLock<loky::Closure<fn(u8), u8, 1>> = LazyLock::new(|| loky::closure!(|x: u8| x + 1));

struct Holder<F>(F);

fn tail(k: u8) -> Result<u8, loky::Error> {
    loky::closure!(|x: u8| x + k).run(1)
}

fn apply(closure: loky::Closure<fn(u8), u8, 1>) -> u8 {
    closure.run(1).unwrap_or_default()
}

impl Default for Holder<u8> {
    fn default() -> Self {
        Self(apply(loky::closure!(|x: u8| x)))
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let k = 2;
        assert_eq!((MADE.run(1)?, tail(k)?, Holder::default().0), (2, 3, 1));
        if loky::closure!(|| k == 2).run()? && !loky::closure!(|| k == 3).run()? {
            assert_eq!(apply(loky::closure!(|x: u8| x * k)), 2);
        }
        let held = Holder(loky::closure!(|x: u8| x - 1));
        assert_eq!(held.0.run(1)?, 0);
        let both = [loky::closure!(|x: u8| x + k), loky::closure!(|x: u8| x * k)];
        assert_eq!(both.each_ref().map(|closure| apply(closure.clone())), [3, 2]);
        assert_eq!(vec![loky::closure!(|| k).spawn(), loky::closure!(|| k + 1).spawn()].len(), 2);
        println!("{}", loky::closure!(|| k).run()?);
        for closure in [loky::closure!(|x: u8| x + k)] {
            let sums: Vec<u8> = [1, 2].iter().par_map(closure.clone()).collect::<Result<_, _>>().unwrap_or_default();
            assert_eq!(sums, [3, 4]);
        }
        let k = loky::closure!(|| k + 1).run()?;
        assert_eq!(k, 3);
        Ok(())
    }
}
