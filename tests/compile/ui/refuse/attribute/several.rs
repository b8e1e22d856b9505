//! Mistakes in the options and in the signature are told together, and the path form hides none behind a second error.

#[loky::task(retries = "many")]
async unsafe fn copy<T>(from: &mut T, to: impl Clone) -> Option<&'static str> {
    let _ = (from, to);
    None
}

fn main() {
    let _handle: loky::JoinHandle<Option<&'static str>> = copy::spawn(&mut 1, 2);
}
