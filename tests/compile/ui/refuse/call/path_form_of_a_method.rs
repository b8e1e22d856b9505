//! The path form is that of free functions.

#[derive(serde::Serialize, serde::Deserialize)]
struct Model(i64);

#[loky::tasks]
impl Model {
    #[loky::task]
    fn plus(&self, x: i64) -> i64 {
        self.0 + x
    }
}

fn main() {
    let _handle = Model::plus::spawn(&Model(1), 2);
}
