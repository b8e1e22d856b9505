//! Not a closure at all.

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() {
    let k = 1;
    let _a = loky::closure!();
    let _b = loky::closure!(add);
    let _c = loky::closure!(k + 1);
    let _d = loky::closure!([k]);
    let _e = loky::closure!(|x: i64| x, |y: i64| y);
    let _f = loky::closure!({ |x: i64| x });
    let _g = loky::closure!(|x: i64|);
    let _h = loky::closure!(k, |x: i64| x + k);
    add(1, 2);
}
