//! Types without serde: one error each, at the type.

struct Socket(i32);

#[loky::task]
fn send(socket: Socket, all: Vec<Socket>) -> i32 {
    socket.0 + all[0].0
}

#[loky::task]
fn lend(socket: &Socket, all: &[Socket]) -> i32 {
    socket.0 + all[0].0
}

#[loky::task]
fn open(number: i32) -> Result<Socket, String> {
    Ok(Socket(number))
}

fn main() {}
