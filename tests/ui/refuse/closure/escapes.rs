//! What would leave the closure: `break` out of it, `?` where nothing takes the error.

fn main() {
    let k = 1;
    loop {
        let _a = loky::closure!(|x: i64| if x > k {
            break;
        });
    }
    let _b = loky::closure!(|text: &str| -> i64 { text.parse::<i64>()? + k });
}
