//! A captured `&mut`, and captures that the closure would change here.

fn count(total: &mut i64) {
    let _a = loky::closure!(|x: i64| *total += x);
}

fn main() {
    let mut all = vec![1];
    let mut number = 2;
    let _b = loky::closure!(|x: i64| all.push(x));
    let _c = loky::closure!(|x: i64| number += x);
    count(&mut number);
    all.push(1);
}
