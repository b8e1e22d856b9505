//! Tasks that speak, and tests of them as anybody would write them.
//!
//! ```
//! use loky::prelude::*;
//!
//! assert_eq!(plain::add.run(1, 2).unwrap(), 3);
//! ```
//!
//! ```
//! use loky::prelude::*;
//!
//! #[loky::task]
//! fn inside(x: i64) -> i64 {
//!     x + 1
//! }
//!
//! fn main() -> Result<(), loky::Error> {
//!     assert_eq!(inside.spawn(1).join()?, 2);
//!     Ok(())
//! }
//! ```

/// Adds.
#[loky::task]
pub fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Prints a line to either stream, in the worker.
#[loky::task]
pub fn say(word: &str) {
    println!("{word} on output");
    eprintln!("{word} on error");
}

/// Which process this is.
#[loky::task]
pub fn pid() -> u32 {
    std::process::id()
}

#[cfg(test)]
mod tests {
    use loky::prelude::*;

    use super::*;

    #[test]
    fn adds_in_another_process() {
        assert_eq!(add.run(1, 2).unwrap(), 3);
        assert_ne!(pid.run().unwrap(), std::process::id());
    }
}
