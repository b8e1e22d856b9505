//! A string literal as a result: its type borrows, too.

fn main() {
    let _a = loky::closure!(|x: u8| if x > 0 { "positive" } else { "zero" });
}
