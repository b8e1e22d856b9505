//! Text as JSON, put down piece by piece.

use std::fmt::{self, Write};

/// A string in quotes, in which nothing can end a script of a page either.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        // Most texts are names: written in one piece.
        let mut done = 0;
        for (at, letter) in self.0.char_indices().filter(|&(_, letter)| needs_escape(letter)) {
            f.write_str(&self.0[done..at])?;
            match letter {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                letter => write!(f, "\\u{:04x}", u32::from(letter))?,
            }
            done = at + letter.len_utf8();
        }
        f.write_str(&self.0[done..])?;
        f.write_char('"')
    }
}

fn needs_escape(letter: char) -> bool {
    matches!(letter, '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}') || letter.is_control()
}

/// Nanoseconds as microseconds with their fraction, as traces have them.
pub(super) struct Micros(pub(super) u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_tasks_say_stays_within_its_quotes() {
        let told = Quoted("a \"b\" \\ </script>\n\u{1b}[1m\u{2028} ü").to_string();
        assert_eq!(told, r#""a \"b\" \\ \u003c/script\u003e\n\u001b[1m\u2028 ü""#);
        assert_eq!((Quoted("").to_string(), Quoted("name").to_string()), ("\"\"".into(), "\"name\"".into()));
    }

    #[test]
    fn moments_keep_their_nanoseconds() {
        assert_eq!([0, 999, 1_234_567].map(|nanos| Micros(nanos).to_string()), ["0.000", "0.999", "1234.567"]);
    }
}
