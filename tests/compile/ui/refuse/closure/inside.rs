//! Mistakes in the body are the compiler's own, and stand where they are made.

fn main() {
    let k = 1_i64;
    let _a = loky::closure!(|x: i64| -> i64 {
        let sum: i64 = "1";
        x + k + sum
    });
    let _b = loky::closure!(|x: i64| -> String { x + k });
    let _d = loky::closure!(|x: i64| x + k as i64 +);
}
