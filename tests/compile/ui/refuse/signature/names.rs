//! Names that the path form would take away from a type or a crate.

#[loky::task]
fn u64(x: u8) -> u8 {
    x
}

#[loky::task]
fn loky() {}

fn main() {
    u64(1);
    loky();
}
