//! What would leave the closure: `break` out of it, `?` where nothing takes the error.

fn main() {
    let k = 1;
    for k in 0..k {
        let _a = loky::closure!(|x: i64| if x > k {
            break;
        });
    }
    let _b = loky::closure!(|text: &str| -> i64 { text.parse::<i64>()? + k });
}
