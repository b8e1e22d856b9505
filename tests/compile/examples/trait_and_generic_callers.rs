//! Code that takes tasks as values: `par_map` in generic code, lists of calls, tasks behind a trait of the user's.

#![deny(warnings)]

use loky::prelude::*;
use loky::{Call, JoinHandle};

#[loky::task]
fn length(text: &str) -> usize {
    text.len()
}

#[loky::task]
fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

trait Work {
    fn begin(&self) -> JoinHandle<usize>;
}

struct ByTask(String);
struct ByClosure(String);

impl Work for ByTask {
    fn begin(&self) -> JoinHandle<usize> {
        length.spawn(&self.0)
    }
}

impl Work for ByClosure {
    fn begin(&self) -> JoinHandle<usize> {
        let text = &self.0;
        loky::closure!(|| text.len()).spawn()
    }
}

fn described(text: &str) -> impl Iterator<Item = Call<String>> {
    (0..3).map(move |times| repeat.bind(text, times))
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let work: [Box<dyn Work>; 2] = [Box::new(ByTask("a".into())), Box::new(ByClosure("bc".into()))];
        let handles: Vec<_> = work.iter().map(|work| work.begin()).collect();
        assert_eq!(loky::join_all(handles)?, [1, 2]);
        assert_eq!(described("x").map(Call::run).collect::<Result<Vec<_>, _>>()?, ["", "x", "xx"]);
        let lines = "a bc\nd".lines().flat_map(str::split_whitespace).par_map(length);
        assert_eq!(lines.collect::<Result<Vec<_>, _>>()?, [1, 2, 1]);
        assert_eq!([("a".to_owned(), 2)].par_map(repeat).collect::<Result<Vec<_>, _>>()?, ["aa"]);
        let unordered = vec!["a", "b"].into_iter().par_map(length).unordered().map(|(_, result)| result);
        assert_eq!(unordered.collect::<Result<Vec<_>, _>>()?, [1, 1]);
        let (first, second) = (length.spawn("abc"), repeat::spawn("x", 1));
        assert_eq!((first.join()?, second.join()?), (3, "x".to_owned()));
        Ok(())
    }
}
