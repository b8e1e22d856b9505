//! Mistakes in the body are the compiler's own, and stand where they are made.

fn main() {
    let (k, word) = (1_i64, String::from("a"));
    let _a = loky::closure!(|x: i64| -> i64 { x + k + "1" });
    let _b = loky::closure!(|x: i64| -> String { x + k });
    let _c = loky::closure!(|x: u8| {
        let moved = word;
        (moved, word, x)
    });
    let _d = loky::closure!(|x: i64| x + k as i64 +);
}
