//! Instances of generic tasks with types that cannot travel.

struct Socket(i32);

#[loky::task]
fn count<T>(all: &[T], one: T) -> usize {
    drop(one);
    all.len()
}

#[loky::task]
fn made<T: Default>() -> T {
    T::default()
}

impl Default for Socket {
    fn default() -> Self {
        Self(0)
    }
}

fn main() -> Result<(), loky::Error> {
    count::run(&[], Socket(1))?;
    count(&[], Socket(1));
    made::run::<Socket>()?;
    let made: Socket = made();
    drop(made.0);
    Ok(())
}
