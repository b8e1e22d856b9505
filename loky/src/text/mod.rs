//! How amounts are said to people, and how a text is cut. What it is about is not known here.

mod amounts;

pub(crate) use self::amounts::{duration, memory, memory_in_short, memory_of_limit};

/// The start of `text` that has so many bytes at most: it ends where a character does.
pub(crate) fn start_of(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_a_character_ends() {
        let cut = [0, 1, 2, 3, 4, 9].map(|most| start_of("aü€", most));
        assert_eq!(cut, ["", "a", "a", "aü", "aü", "aü€"]);
    }
}
