//! What an `async fn` comes to cannot travel.

use loky::prelude::*;

struct Socket(i32);

#[loky::task]
async fn open(number: i32) -> Socket {
    Socket(number)
}

#[loky::task]
async fn checked(number: i32) -> Result<i32, std::io::Error> {
    Ok(number)
}

fn main() -> Result<(), loky::Error> {
    open.run(1)?;
    let _ = checked::run(1)?;
    Ok(())
}
