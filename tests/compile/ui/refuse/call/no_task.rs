//! Functions that are no tasks are told what cannot travel, too.

use loky::prelude::*;

struct Socket(i32);

fn open(number: i32) -> Socket {
    Socket(number)
}

fn main() {
    let _a = open.spawn(1);
    let _b = (|socket: Socket| socket.0).bind(Socket(1));
}
