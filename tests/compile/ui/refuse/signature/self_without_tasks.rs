//! `Self` and `self` in an impl block that does not have `#[loky::tasks]`.

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Model(i64);

impl Model {
    #[loky::task]
    fn new(x: i64) -> Self {
        Self(x)
    }

    #[loky::task]
    fn plus(&self, other: &Self) -> Vec<Self> {
        vec![self.clone(), other.clone()]
    }

    #[loky::task]
    fn boxed(self: Box<Self>) {}
}

fn main() {
    Model::new(1).plus(&Model(2));
    Box::new(Model(1)).boxed();
}
