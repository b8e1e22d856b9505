//! Too few arguments and too many, in every form.

use loky::prelude::*;

#[loky::task]
fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

fn main() {
    let scale = loky::closure!(|x: i64, y: i64| x * y);
    let _a = repeat.spawn("a");
    let _b = repeat.bind("a", 1, 2);
    let _c = repeat::spawn("a");
    let _d = repeat::bind("a", 1, 2);
    let _e = scale.spawn(1);
    let _f = scale.bind(1, 2, 3);
}
