//! Which names a closure captures, and which it does not: those that it binds, those of constants, functions and types.

#![deny(warnings)]

use loky::prelude::*;

const LIMIT: u8 = 7;
static STATIC: [u8; 2] = [1, 2];

#[derive(serde::Serialize, serde::Deserialize, Clone, Copy)]
struct Unit;

#[derive(Clone)]
struct Settings {
    k: u8,
    name: String,
}

fn square(x: u8) -> u8 {
    x * x
}

#[loky::task]
fn task(x: u8) -> u8 {
    x + 100
}

mod inner {
    pub(crate) const K: u8 = 5;
    pub(crate) fn k(x: u8) -> u8 {
        x + K
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let k = 1_u8;
        let k = k + 1;
        assert_eq!(loky::closure!(|x: u8| { let k = k + x; let x = k * 2; x + k }).run(1)?, 9);
        assert_eq!(loky::closure!(|k: u8| k + 1).run(1)?, 2, "an argument hides a variable");
        assert_eq!(loky::closure!(|x: u8| x + LIMIT + STATIC[1] + inner::K + inner::k(0) + self::inner::k(0)).run(1)?, 25);
        assert_eq!(loky::closure!(|x: u8| [x].map(square).map(task).map(inner::k)[0] + square(1)).run(1)?, 107);
        assert_eq!(loky::closure!(|x: u8| (Some(x), None::<u8>, Unit, u8::MAX, i64::from(k)).4).run(1)?, 2);
        let settings = Settings { k: 3, name: "n".into() };
        let Settings { k: taken, name } = settings.clone();
        let built = loky::closure!(|x: u8| { let built = Settings { k: taken, name }; built.k + x + built.name.len() as u8 });
        assert_eq!((built.run(1)?, settings.k), (5, 3));
        let nested = loky::closure!(|x: u8| {
            fn helper(k: u8) -> u8 {
                k + 1
            }
            const K: u8 = 10;
            use inner::k as imported;
            helper(x) + K + imported(k)
        });
        assert_eq!(nested.run(1)?, 19);
        let (x, y) = (1, [2, 3]);
        assert_eq!(loky::closure!(|| x + y[0] + y.iter().map(|y| y * x).sum::<u8>() + y[usize::from(x)]).run()?, 11);
        let all: Vec<u8> = (0..3).map(|k| loky::closure!(|| k * 2).run()).collect::<Result<_, _>>()?;
        assert_eq!(all, [0, 2, 4]);
        let of_a_match = match Some(k) {
            Some(n) if n > 1 => loky::closure!(|| n + k).run()?,
            n => loky::closure!(|| n.map_or(0, |n| n)).run()?,
        };
        assert_eq!(of_a_match, 4);
        assert_eq!((0..2).par_map(loky::closure!(|x: u8| x + k)).collect::<Result<Vec<_>, _>>()?, [2, 3]);
        Ok(())
    }
}
