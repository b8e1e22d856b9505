//! A capture that a list forgets, and that can be copied: only the size of the code around the closure shows it.

fn main() {
    let (k, n) = (1, 2);
    let _closure = loky::closure!([k] |x: i64| x + k + n);
}
