//! Results that borrow: from an argument, from a capture, from nobody.

fn main() {
    let text = String::from("text");
    let _a = loky::closure!(|x: &str| -> &str { x });
    let _b = loky::closure!(|x: u8| -> (&'static str, u8) { ("text", x) });
    let _c = loky::closure!(|x: u8| -> impl Fn(u8) -> u8 { move |y| x + y });
    let _d = loky::closure!(|n: usize| -> ! { panic!("{n} {text}") });
}
