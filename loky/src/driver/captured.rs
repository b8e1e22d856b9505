//! What one call has printed, for whoever asks for it.

/// What a call has printed, as [`JoinHandle::join_captured`](crate::JoinHandle::join_captured) returns it.
///
/// Bytes as they came: a task may print anything. Of both streams together, the first MiB.
///
/// # Examples
///
/// ```
/// let nothing = loky::Captured::default();
/// assert!(nothing.stdout().is_empty() && nothing.stderr().is_empty() && !nothing.is_truncated());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// How many bytes more there were.
    pub(super) cut: usize,
}

impl Captured {
    /// What it has written to its standard output.
    pub fn stdout(&self) -> &[u8] {
        &self.stdout
    }

    /// What it has written to its standard error.
    pub fn stderr(&self) -> &[u8] {
        &self.stderr
    }

    /// Whether the call has printed more than is kept.
    pub fn is_truncated(&self) -> bool {
        self.cut > 0
    }

    /// How many bytes it has printed that are not here.
    pub fn omitted(&self) -> usize {
        self.cut
    }
}
