//! Numbers and names as people read them.

use std::time::Duration;

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.5 s`, `20 s`, `12 ms`: three digits are plenty.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds.fract() == 0.0 || seconds >= 100.0 => format!("{seconds:.0} s"),
        _ if seconds >= 10.0 => format!("{seconds:.1} s"),
        _ => format!("{seconds:.2} s"),
    }
}

/// `1 file`, `2 files`.
pub(crate) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", thousands(number))
}

/// At most `width` characters, the end cut off visibly.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Lines of at most `width` characters, as far as the words allow, each indented by `indent`.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let mut wrapped = " ".repeat(indent);
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

/// The name of a signal that kills processes in practice, by its number on Linux.
pub(crate) fn signal(number: i32) -> String {
    let name = match number {
        2 => "SIGINT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        31 => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown = [0, 12, 999, 1000, 12_345, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn seconds_have_few_digits() {
        let shown = [0.0123, 1.0, 1.234, 12.34, 20.0, 196.7].map(|n| seconds(Duration::from_secs_f64(n)));
        assert_eq!(shown, ["12 ms", "1 s", "1.23 s", "12.3 s", "20 s", "197 s"]);
    }

    #[test]
    fn long_text_is_cut_by_characters() {
        assert_eq!(shorten("äöüß", 4), "äöüß");
        assert_eq!(shorten("äöüßx", 4), "äöü…");
    }

    #[test]
    fn sentences_are_wrapped_between_words() {
        assert_eq!(wrap("aa bb cc", 2, 7), "  aa bb\n  cc");
        assert_eq!(wrap("long_word b", 0, 4), "long_word\nb");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2000].map(|n| plural(n, "file")), ["0 files", "1 file", "2,000 files"]);
    }
}
