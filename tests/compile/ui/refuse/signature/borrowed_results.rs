//! Results that would leave nothing to send: never, borrowed, in part.

use std::borrow::Cow;

#[loky::task]
fn never() -> ! {
    std::process::exit(1)
}

#[loky::task]
fn borrowed(text: &str) -> &str {
    text
}

#[loky::task]
fn in_part(text: &str) -> (Cow<'_, str>, usize) {
    (text.into(), text.len())
}

#[loky::task]
fn forever() -> &'static str {
    "forever"
}

#[loky::task]
async fn later(text: &str) -> Option<&str> {
    Some(text)
}

fn main() {
    borrowed("");
    in_part("");
    forever();
    let _ = later("");
    never();
}
