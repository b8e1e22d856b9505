//! `#[loky::tasks]` where it is not at home, or with what belongs to a single task.

#[loky::tasks]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[loky::tasks]
mod tools {
    pub fn nothing() {}
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Model(i64);

#[loky::tasks]
impl Model {
    fn no_task(&self) {}
}

#[loky::tasks(name = "model", retries = 2)]
impl Model {
    #[loky::task]
    fn plus(&self, x: i64) -> i64 {
        self.0 + x
    }
}

#[loky::tasks]
impl Model {
    #[loky::task(timeout = 2)]
    fn minus(&self, x: i64) -> i64 {
        self.0 - x
    }

    #[loky::task = "times"]
    fn times(&self, x: &mut i64) {
        *x *= self.0;
    }

    #[loky::task]
    const LIMIT: i64 = 1;
}

fn main() {
    add(1, 2);
    tools::nothing();
    Model(Model::LIMIT).no_task();
    Model(1).plus(2);
    Model(1).minus(2);
    Model(1).times(&mut 2);
}
