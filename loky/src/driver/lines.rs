//! What a worker writes to one of its streams, as lines behind a prefix.
//!
//! Nothing here knows where they go, or when a call has ended.

use crate::config::LINE_MAX;
use crate::text::start_of;

/// A line that has not ended, and who has begun it.
#[derive(Debug, Default)]
pub(super) struct Lines {
    label: String,
    unfinished: Vec<u8>,
}

/// A prefix is no longer than this, so that it and a line are written in one piece.
const LABEL_MAX: usize = 1000;

/// Who writes: a worker of a pool, which has a name or has not, and the task that it runs, if it runs one.
pub(super) fn label(pool: Option<&str>, worker: usize, task: Option<&str>) -> String {
    let (pool, colon) = pool.map_or(("", ""), |name| (name, ":"));
    let (space, task) = task.map_or(("", ""), |name| (" ", name));
    let mut label = format!("[{pool}{colon}{worker}{space}{task}] ");
    if label.len() > LABEL_MAX {
        label.truncate(start_of(&label, LABEL_MAX - 2).len());
        label.push_str("] ");
    }
    label
}

impl Lines {
    /// Takes in what somebody has written, and gives what has become a line to `show`, piece by piece.
    pub(super) fn add(&mut self, label: &str, bytes: &[u8], mut show: impl FnMut(&[u8])) {
        if self.label != label {
            self.end(&mut show);
            label.clone_into(&mut self.label);
        }
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, is_line) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            self.extend(text, &mut show);
            if is_line {
                self.show_line(&mut show);
            }
        }
    }

    /// Gives what has no end to `show` as if it had one.
    pub(super) fn end(&mut self, mut show: impl FnMut(&[u8])) {
        if !self.unfinished.is_empty() {
            self.show_line(&mut show);
        }
    }

    fn extend(&mut self, mut text: &[u8], show: &mut impl FnMut(&[u8])) {
        while self.unfinished.len() + text.len() > LINE_MAX {
            let (first, rest) = text.split_at(LINE_MAX - self.unfinished.len());
            self.unfinished.extend_from_slice(first);
            self.show_line(show);
            text = rest;
        }
        self.unfinished.extend_from_slice(text);
    }

    fn show_line(&mut self, show: &mut impl FnMut(&[u8])) {
        show(self.label.as_bytes());
        show(&self.unfinished);
        show(b"\n");
        self.unfinished.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of pieces that come one after the other.
    fn shown(pieces: &[(&str, &[u8])]) -> String {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        pieces.iter().for_each(|(label, bytes)| lines.add(label, bytes, |text| out.extend_from_slice(text)));
        lines.end(|text| out.extend_from_slice(text));
        lines.end(|_| panic!("it is shown once"));
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_line_has_a_prefix_however_it_comes() {
        assert_eq!(shown(&[("a ", b"one\ntwo\n")]), "a one\na two\n");
        assert_eq!(shown(&[("a ", b"o"), ("a ", b"ne\nt"), ("a ", b"wo\n\n")]), "a one\na two\na \n");
        assert_eq!(shown(&[("a ", b"")]), "");
    }

    #[test]
    fn an_unfinished_line_is_its_writers() {
        assert_eq!(shown(&[("a ", b"one"), ("b ", b"two\nthree")]), "a one\nb two\nb three\n");
    }

    #[test]
    fn a_long_line_is_shown_in_several() {
        let long = vec![b'x'; 2 * LINE_MAX + 1];
        let line = |len| format!("a {}\n", "x".repeat(len));
        assert_eq!(shown(&[("a ", &long)]), [line(LINE_MAX), line(LINE_MAX), line(1)].concat());
        assert_eq!(shown(&[("a ", &long[..LINE_MAX]), ("a ", b"\n")]), line(LINE_MAX), "one that just fits is one");
    }

    #[test]
    fn a_prefix_says_who_writes_and_is_never_long() {
        assert_eq!(label(None, 3, Some("my::task")), "[3 my::task] ");
        assert_eq!(label(Some("decoders"), 0, None), "[decoders:0] ");
        let long = label(Some(&"ü".repeat(2000)), 0, Some("task"));
        assert!(long.len() <= LABEL_MAX && long.ends_with("ü] "));
    }
}
