//! Closures written by `macro_rules`: each name means what it means where it was written.

#![deny(warnings)]

macro_rules! times {
    ($factor:ident) => {
        loky::closure!(|x: i64| x * $factor)
    };
}

macro_rules! plus {
    ($value:expr) => {{
        let value = $value;
        loky::closure!(|x: i64| x + value)
    }};
}

macro_rules! both {
    ($theirs:ident) => {{
        let ours = 100;
        loky::closure!(|x: i64| x + ours + $theirs)
    }};
}

macro_rules! of_type {
    ($ty:ty, $body:expr, $($k:ident),*) => {
        loky::closure!([$($k),*] |x: $ty| -> $ty { let _ = x; $body })
    };
}

macro_rules! whole {
    ($closure:expr) => {
        loky::closure!($closure)
    };
}

macro_rules! passed_on {
    ($($tokens:tt)*) => {
        loky::closure!($($tokens)*)
    };
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (k, other) = (10, 3);
        assert_eq!((times!(k).run(2)?, plus!(k + 1).run(2)?, both!(k).run(1)?), (20, 13, 111));
        assert_eq!(of_type!(i64, k + other, k, other).run(2)?, 13);
        assert_eq!(whole!(|x: i64| x - k).run(12)?, 2);
        assert_eq!(passed_on!([k] |x: i64| x + k).run(1)?, 11);
        assert_eq!(passed_on!(|x: i64| x + k + other).run(1)?, 14);
        Ok(())
    }
}
