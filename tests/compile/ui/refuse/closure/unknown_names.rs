//! Names that are not there.

fn main() {
    let k = 1;
    let _a = loky::closure!(|x: i64| x + k + missing);
    let _b = loky::closure!([absent] |x: i64| x + k);
    let _c = loky::closure!(|x: i64| format!("{x} {nowhere}"));
    let _d = loky::closure!(|x: Missing| x);
    let _e = loky::closure!(|x: i64| x.unknown(k));
}
