//! A list with what is not used.

#![deny(unused_variables)]

fn main() {
    let (k, unused) = (1, 2);
    let _a = loky::closure!([k, unused] |x: i64| x + k);
}
