//! Parameters that are there or not.

#[loky::task]
fn by_cfg(#[cfg(unix)] a: u8, #[cfg(not(unix))] a: u16) -> bool {
    a > 0
}

#[loky::task]
fn by_cfg_attr(#[cfg_attr(unix, allow(unused))] a: u8) {}

fn main() {
    by_cfg(1);
    by_cfg_attr(1);
}
