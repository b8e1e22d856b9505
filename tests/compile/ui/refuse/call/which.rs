//! Arguments of other types, in every form.

use loky::prelude::*;

#[loky::task]
fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

#[loky::task]
fn total(all: Vec<u64>) -> u64 {
    all.iter().sum()
}

fn main() {
    let scale = loky::closure!(|text: &str, y: i64| y + text.len() as i64);
    let _a = repeat.spawn(String::from("a"), 1);
    let _b = repeat.bind("a", "1");
    let _c = repeat::spawn(1, 2);
    let _d = total.run(&[1, 2]);
    let _e = total::run(vec!["1"]);
    let _f = scale.spawn("a", "1");
    let _g = scale.run(String::from("a"), 1);
    let _h = total.run(&mut vec![1]);
}
