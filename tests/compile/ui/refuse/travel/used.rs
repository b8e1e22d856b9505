//! A task whose types cannot travel, and its uses: what is wrong is told where it is.

use loky::prelude::*;

struct Socket(i32);

#[loky::task]
fn send(socket: Socket) -> i32 {
    socket.0
}

#[loky::task]
fn open(number: i32) -> Socket {
    Socket(number)
}

fn main() -> Result<(), loky::Error> {
    send::run(Socket(1))?;
    send::spawn(Socket(1)).join()?;
    send.run(Socket(1))?;
    open::run(1)?;
    open.run(1)?;
    open.spawn(1).join()?;
    Ok(())
}
