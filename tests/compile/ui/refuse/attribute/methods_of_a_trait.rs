//! Tasks in a trait: the function of a type can be one, that of no type cannot.

trait Shape {
    #[loky::task]
    fn area(&self) -> u64;

    #[loky::task]
    fn double(&self) -> u64 {
        2 * self.area()
    }
}

#[loky::tasks]
trait Other {
    fn other();
}

struct Square(u64);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0
    }
}

impl Other for Square {
    fn other() {}
}

fn main() {
    Square(1).double();
    Square::other();
}
