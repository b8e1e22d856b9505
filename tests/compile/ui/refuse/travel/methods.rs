//! A method whose `self` cannot travel, or what it is given or gives.

struct Model(i32);

struct Row(i32);

#[loky::tasks]
impl Model {
    #[loky::task]
    fn predict(&self, x: i32) -> i32 {
        self.0 * x
    }

    #[loky::task]
    fn owned(self) -> i32 {
        self.0
    }

    #[loky::task]
    fn rows(count: i32, first: &Row) -> Vec<Row> {
        (0..count + first.0).map(Row).collect()
    }

    #[loky::task]
    fn new() -> Self {
        Self(1)
    }
}

fn main() {
    Model::new().predict(1);
    Model::new().owned();
    Model::rows(1, &Row(2));
}
