//! A string literal as a result: its type borrows, too.

fn main() {
    let (k, names) = (1_u8, vec![String::from("a")]);
    let _a = loky::closure!(|x: u8| if x > k { "positive" } else { "zero" });
    let _b = loky::closure!(|x: u8| {
        match x {
            0 => &names,
            _ => loop {},
        }
    });
    let _c = loky::closure!(|n: usize| names[n].as_str());
}
