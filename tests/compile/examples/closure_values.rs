//! A closure is a value like another: in a field, a list, a map, a static, another thread; returned, cloned, matched.

#![deny(warnings)]

use std::collections::HashMap;
use std::sync::OnceLock;
use std::thread;

use loky::prelude::*;
use loky::{Call, Closure};

type Unary = Closure<fn(u8), u8, 1>;
type Nullary = Closure<fn(), String, 0>;

#[derive(Clone, Debug)]
struct Step {
    run: Closure<fn(u8), u8, 1>,
    name: &'static str,
}

fn plus(k: u8) -> Closure<fn(u8), u8, 1> {
    loky::closure!(|x: u8| x + k)
}

fn chosen(times: bool) -> Closure<fn(u8), u8, 1> {
    // Two closures are two tasks of one type.
    if times { loky::closure!(|x: u8| x * 2) } else { plus(2) }
}

fn borrowed() -> Closure<fn(&str, &[u8]), usize, 2> {
    loky::closure!(|text: &str, all: &[u8]| text.len() + all.len())
}

fn lazily() -> Nullary {
    static MADE: OnceLock<Nullary> = OnceLock::new();
    MADE.get_or_init(|| loky::closure!(|| "once".to_owned())).clone()
}

fn spawned<R: serde::de::DeserializeOwned>(closure: &Closure<fn(u8), R, 1>) -> Result<R, loky::Error> {
    closure.spawn(1).join()
}

fn is_thread_safe<T: Send + Sync + 'static>(_: &T) {}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let _: Option<Unary> = None;
        let steps = vec![Step { run: plus(1), name: "plus" }, Step { run: chosen(true), name: "times" }];
        let mut x = 1;
        for Step { run, name } in steps.clone() {
            x = run.bind(x).retries(name.len() as u32).run()?;
        }
        assert_eq!(x, 4);
        let by_name: HashMap<_, _> = steps.into_iter().map(|step| (step.name, step.run)).collect();
        assert_eq!((by_name["plus"].run(1)?, spawned(&by_name["times"])?, chosen(false).run(1)?), (2, 2, 3));
        assert_eq!((borrowed().run("a", &vec![1])?, lazily().run()?), (2, "once".to_owned()));
        let closure = plus(5);
        is_thread_safe(&closure);
        let handle = thread::spawn(move || closure.run(1));
        assert!(matches!(handle.join(), Ok(Ok(6))));
        let calls: Vec<Call<u8>> = (0..3).map(|k| plus(k).bind(1)).collect();
        assert_eq!(calls.into_iter().map(Call::run).collect::<Result<Vec<_>, _>>()?, [1, 2, 3]);
        assert_eq!((0..3_u8).par_map(plus(1)).collect::<Result<Vec<_>, _>>()?, [1, 2, 3]);
        Ok(())
    }
}
