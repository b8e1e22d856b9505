//! Lists of captures that are no lists of names.

struct Settings {
    k: i64,
}

fn main() {
    let (k, settings) = (1, Settings { k: 2 });
    let _a = loky::closure!([k, k] |x: i64| x + k);
    let _b = loky::closure!([settings.k, k + 1] |x: i64| x + k);
    let _c = loky::closure!([&k, mut k, k.clone(), "k"] |x: i64| x + k);
    let _d = loky::closure!([k = 3] |x: i64| x + k);
    let _e = loky::closure!([k k] |x: i64| x + k);
}
