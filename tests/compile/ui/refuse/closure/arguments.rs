//! Arguments that do not say how they travel, or cannot.

fn main() {
    let _a = loky::closure!(|x| x + 1);
    let _b = loky::closure!(|x, (a, b)| x + a + b);
    let _c = loky::closure!(|all: Vec<_>| all.len());
    let _d = loky::closure!(|total: &mut i64| *total += 1);
    let _e = loky::closure!(|text: &'static str| text.len());
    let _f = loky::closure!(|shown: impl std::fmt::Debug| format!("{shown:?}"));
    let _g = loky::closure!(|pair: (&str, u8)| pair.1);
}
