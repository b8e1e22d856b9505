//! Tasks written by `macro_rules`, from every fragment that can be a part of one.

#![deny(warnings)]

use loky::prelude::*;

macro_rules! from_parts {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($argument:ident: $ty:ty),*) -> $result:ty $body:block) => {
        $(#[$meta])*
        #[loky::task]
        $vis fn $name($($argument: $ty),*) -> $result $body
    };
}

from_parts! {
    /// Documented.
    #[inline]
    pub(crate) fn parts(a: i64, b: &str, c: &[Vec<u8>]) -> Result<i64, String> {
        Ok(a + b.len() as i64 + c.len() as i64)
    }
}

macro_rules! constant {
    ($name:ident = $value:expr, named $text:literal, $retries:literal times) => {
        #[loky::task(name = $text, retries = $retries, timeout = "60s")]
        fn $name() -> i64 {
            $value
        }
    };
}

constant!(seven = 3 + 4, named "the seventh", 2 times);

macro_rules! lifetimes {
    ($lt:lifetime, $bound:path, $pattern:pat_param => $ty:ty, $shown:expr) => {
        #[loky::task]
        fn of_a_lifetime<$lt, T: $bound>($pattern: $ty, text: &$lt str, value: &T) -> String {
            format!("{text}{value:?}{}", $shown)
        }
    };
}

lifetimes!('a, std::fmt::Debug, (first, _) => (u8, u8), first);

macro_rules! whole {
    ($($item:item)*) => {
        $(#[loky::task] $item)*
    };
}

whole! {
    fn one() -> u8 {
        1
    }

    async fn two<T>(x: T) -> [T; 1] {
        [x]
    }
}

macro_rules! tokens {
    ($($token:tt)*) => {
        #[loky::task]
        $($token)*
    };
}

tokens!(
    const fn three(x: u8) -> u8 {
        x + 3
    }
);

/// The macro's own names are its own.
macro_rules! hygienic {
    ($name:ident, $x:ident) => {
        #[loky::task]
        fn $name($x: u8) -> (u8, u8) {
            let y = 10;
            ($x, y)
        }
    };
}

hygienic!(apart, y);

macro_rules! methods {
    ($ty:ty { $($name:ident = $value:expr;)* }) => {
        #[loky::tasks]
        impl $ty {
            $(#[loky::task] fn $name(&self, x: u8) -> Self { Self(self.0 + x + $value) })*
        }
    };
}

#[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
struct Wrapped(u8);

methods!(Wrapped { up = 1; higher = 2; });

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((parts.run(1, "ab", &[vec![]])?, parts::run(1, "ab", &[])?), (Ok(4), Ok(3)));
        assert_eq!((seven.run()?, seven::run()?), (7, 7));
        assert_eq!(of_a_lifetime.run((1, 2), "t", &'c')?, "t'c'1");
        assert_eq!(of_a_lifetime::run((1, 2), "t", &'c')?, "t'c'1");
        assert_eq!((one.run()?, two.run('x')?, three.run(1)?, three::run(1)?), (1, ['x'], 4, 4));
        assert_eq!((apart.run(1)?, apart::run(1)?), ((1, 10), (1, 10)));
        assert_eq!((Wrapped::up.run(&Wrapped(1), 1)?, Wrapped::higher.run(&Wrapped(1), 1)?), (Wrapped(3), Wrapped(4)));
        Ok(())
    }
}
