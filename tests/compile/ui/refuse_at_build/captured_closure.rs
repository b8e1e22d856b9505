//! A captured closure that captures something itself, and can be copied.

fn main() {
    let k = 1;
    let add = move |x: i64| x + k;
    let _closure = loky::closure!(|x: i64| [x].map(add));
}
