//! Results that cannot travel.

struct Socket(i32);

fn main() {
    let k = 1;
    let _a = loky::closure!(|x: i32| Socket(x + k));
    let _b = loky::closure!(|x: i32| move |y: i32| x + y);
    let _c = loky::closure!(|x: i32| -> Result<i32, std::io::Error> { Ok(x + k) });
    let _d = loky::closure!(async |x: i32| Socket(x + k));
    let _e = Socket(1).0;
}
