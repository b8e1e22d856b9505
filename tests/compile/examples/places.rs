//! Wherever a function can be written, a task can: in blocks, arms, constants, closures, bodies of methods.

#![deny(warnings)]

use loky::prelude::*;

const _: () = {
    #[loky::task]
    fn inside(x: u8) -> u8 {
        x + 1
    }
    assert!(size_of::<u8>() == 1);
    let _ = inside;
};

static MADE: fn() -> Result<u8, loky::Error> = {
    #[loky::task]
    fn inside(x: u8) -> u8 {
        x + 2
    }
    || inside.run(0)
};

trait Described {
    fn described(&self) -> Result<String, loky::Error> {
        #[loky::task]
        fn inside(text: &str) -> String {
            format!("<{text}>")
        }
        inside.run("default")
    }
}

impl Described for () {}

struct Model;

impl Model {
    fn in_a_method(&self) -> Result<u8, loky::Error> {
        #[loky::task]
        fn inside(x: u8) -> u8 {
            x + 3
        }
        inside::run(0)
    }
}

fn in_arms(which: u8) -> Result<u8, loky::Error> {
    match which {
        0 => {
            #[loky::task]
            fn inside(x: u8) -> u8 {
                x + 10
            }
            inside.run(0)
        }
        _ => {
            #[loky::task]
            fn inside(x: u8) -> u8 {
                x + 20
            }
            inside::run(0)
        }
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((MADE()?, ().described()?, Model.in_a_method()?), (2, "<default>".to_owned(), 3));
        assert_eq!((in_arms(0)?, in_arms(1)?), (10, 20));
        let mut all = Vec::new();
        for x in 0..2 {
            #[loky::task]
            fn inside(x: u8) -> u8 {
                x + 30
            }
            all.push(inside.run(x)?);
        }
        let in_a_closure = || {
            #[loky::task]
            fn inside<T>(x: T) -> Option<T> {
                Some(x)
            }
            inside.run('c')
        };
        assert_eq!((all, in_a_closure()?), (vec![30, 31], Some('c')));
        assert_eq!(used_before_it_is_written.run()?, 1);
        #[loky::task]
        fn used_before_it_is_written() -> u8 {
            1
        }
        Ok(())
    }
}
