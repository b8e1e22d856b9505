//! What one call has printed, on its way to whoever receives its result.
//!
//! A test harness shows with a test what was printed on its threads by `print!` and `eprint!`, and by nothing else. So
//! what the workers of a test have printed is printed once more, on the thread that receives the result.

use super::captured::Captured;
use crate::bars;
use crate::config::PRINTED_MAX;
use crate::sys::stdio::{self, Stream};
use crate::text;

/// The beginning of what a call has printed, and how much more it was. What nobody has shown by the time it is dropped
/// goes to this program's own streams.
#[derive(Debug, Default)]
pub(crate) struct Printed(Option<Box<Text>>);

#[derive(Debug, Default)]
struct Text {
    output: Vec<u8>,
    error: Vec<u8>,
    cut: usize,
}

impl Printed {
    pub(super) fn add(&mut self, stream: Stream, bytes: &[u8]) {
        let text = self.0.get_or_insert_default();
        let room = PRINTED_MAX - text.output.len() - text.error.len();
        let (kept, cut) = bytes.split_at(bytes.len().min(room));
        text.cut += cut.len();
        match stream {
            Stream::Output => text.output.extend_from_slice(kept),
            Stream::Error => text.error.extend_from_slice(kept),
        }
    }

    /// Prints it on the calling thread, as if the task had run there.
    #[inline]
    pub(super) fn show(&mut self) {
        if self.0.is_some() {
            let (output, error) = self.take();
            bars::suspended(|| show(&output, &error));
        }
    }

    /// Takes it out, not to be printed.
    pub(super) fn into_captured(mut self) -> Captured {
        let Text { output, error, cut } = self.0.take().map(|text| *text).unwrap_or_default();
        Captured { stdout: output, stderr: error, cut }
    }

    /// What a call has printed on another machine.
    #[cfg(feature = "cluster")]
    pub(super) fn of(Captured { stdout, stderr, cut }: Captured) -> Self {
        Self(Some(Box::new(Text { output: stdout, error: stderr, cut })))
    }

    /// Takes out what belongs to either stream; that something was cut is told on the second.
    pub(super) fn take(&mut self) -> (Vec<u8>, Vec<u8>) {
        let Some(text) = self.0.take() else { return (Vec::new(), Vec::new()) };
        let Text { output, mut error, cut } = *text;
        if cut > 0 {
            let kept = text::memory(PRINTED_MAX as u64);
            let note = format!(
                "loky: the call has printed {cut} bytes more, which are not shown: `Output::Capture` keeps {kept} of a call\n"
            );
            error.extend_from_slice(note.as_bytes());
        }
        (output, error)
    }
}

fn show(output: &[u8], error: &[u8]) {
    // To print where nobody reads is a panic, or even the end of the program, and here it was not its own wish.
    if !output.is_empty() && stdio::has_reader(Stream::Output) {
        print!("{}", String::from_utf8_lossy(output));
    }
    if !error.is_empty() && stdio::has_reader(Stream::Error) {
        eprint!("{}", String::from_utf8_lossy(error));
    }
}

impl Drop for Printed {
    fn drop(&mut self) {
        if self.0.is_none() {
            return;
        }
        let (output, error) = self.take();
        bars::suspended(|| {
            stdio::write_all(Stream::Output, &output);
            stdio::write_all(Stream::Error, &error);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_kept_and_the_rest_is_counted() {
        let mut printed = Printed::default();
        printed.add(Stream::Output, b"head");
        printed.add(Stream::Error, &vec![b'x'; PRINTED_MAX]);
        printed.add(Stream::Output, b"more");
        let (output, error) = printed.take();
        assert_eq!(output, b"head");
        assert_eq!(error.iter().filter(|&&byte| byte == b'x').count(), PRINTED_MAX - 4);
        assert!(
            String::from_utf8_lossy(&error)
                .ends_with("has printed 8 bytes more, which are not shown: `Output::Capture` keeps 1 MiB of a call\n")
        );
        assert_eq!(printed.take(), (Vec::new(), Vec::new()), "it is taken once");
    }
}
