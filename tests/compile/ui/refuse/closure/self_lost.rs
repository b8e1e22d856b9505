//! `self` in places from which it cannot be taken along.

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Model(i64);

impl Model {
    fn in_text(&self) {
        let _a = loky::closure!(|x: i64| format!("{x} {self:?}"));
    }

    fn not_listed(&self, k: i64) {
        let _b = loky::closure!([k] |x: i64| x + k + self.0);
    }

    fn mutable(&mut self) {
        let _c = loky::closure!(|x: i64| self.0 += x);
    }
}

fn main() {
    Model(1).in_text();
    Model(1).not_listed(1);
    Model(1).mutable();
}
