//! What stands before `fn`, and what no `fn` can have.

#[loky::task]
unsafe fn poke(address: usize) -> usize {
    address
}

#[loky::task]
extern "C" fn callback(code: i32) -> i32 {
    code
}

fn main() {
    unsafe { poke(0) };
    callback(0);
}
