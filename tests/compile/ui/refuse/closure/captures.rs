//! Captures that cannot travel, each at its name.

use std::rc::Rc;
use std::sync::Mutex;

struct Socket(i32);

fn main() {
    let (socket, shared, lock) = (Socket(1), Rc::new(1), Mutex::new(2));
    let _a = loky::closure!(|x: i32| x + socket.0 + *shared + lock.lock().map_or(0, |guard| *guard));
    let (lent, all, nested) = (&socket, &[Socket(2)][..], &&3);
    let _b = loky::closure!(|x: i32| x + lent.0 + all[0].0 + **nested);
    let _c = loky::closure!(|x: i32| format!("{} {}", x, socket.0));
}
