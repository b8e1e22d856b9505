//! The dot form without its traits in scope.

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn main() -> Result<(), loky::Error> {
    add.spawn(1, 2).join()?;
    let _all: Vec<_> = (0..3).zip(0..3).par_map(add).collect();
    Ok(())
}
