//! A method: its receiver is the culprit.

struct Model {
    factor: f64,
}

impl Model {
    #[loky::task]
    fn predict(&self, x: f64) -> f64 {
        self.factor * x
    }

    #[loky::task]
    fn double(self) -> f64 {
        2.0 * self.factor
    }
}

fn main() {
    let model = Model { factor: 2.0 };
    model.predict(1.0);
    model.double();
}
