//! Closures and pointers that are captured as values and cannot travel.

use std::thread::JoinHandle;

fn run(function: Box<dyn Fn(i64) -> i64>, handle: JoinHandle<()>) {
    let _a = loky::closure!(|x: i64| [x].map(&function)[0]);
    let _b = loky::closure!(|| handle);
}

fn generic<T>(value: T) {
    let _c = loky::closure!(|| {
        let _ = &value;
    });
}

fn main() {
    let (k, text) = (1, String::from("a"));
    let add = |x: i64| x + k + text.len() as i64;
    let _d = loky::closure!(|x: i64| [x].map(add));
    run(Box::new(|x| x), std::thread::spawn(|| ()));
    generic(1);
}
