//! Version 2.

/// Which version this is.
#[loky::task]
pub fn version() -> u32 {
    2
}

/// Any of them, with the version.
#[loky::task]
pub fn tagged<T>(value: T) -> (u32, T) {
    (2, value)
}

/// Nobody uses it: it is a task all the same.
#[loky::task(name = "unused in version 2")]
pub fn unused() {}
