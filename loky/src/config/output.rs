//! What becomes of what workers write to their standard output and standard error.

/// What becomes of what tasks print: of what the workers of a pool write to their standard output and their standard
/// error; see [`PoolBuilder::output`](crate::PoolBuilder::output).
///
/// Whatever it is, the last lines on standard error are kept as evidence: [`Error::stderr_tail`] has them. Default:
/// `Inherit`; with the feature `test`, `Capture`.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// use loky::{Output, Pool};
///
/// // A C library that talks too much.
/// let quiet = Pool::builder().workers(2).output(Output::Null).build()?;
/// # Ok(())
/// # }
/// ```
///
/// [`Error::stderr_tail`]: crate::Error::stderr_tail
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// It appears on the program's own streams, as if the task had run there. The standard output of the workers is the
    /// program's own; what comes on standard error is passed on to it, in the order in which it comes.
    Inherit,
    /// It appears on the program's own streams, line by line, each behind the number of the worker and the task that
    /// printed it: `[0 my_crate::decode] no such color`. If the pool has a name, that comes first:
    /// `[decoders:0 my_crate::decode] …`; of a worker that runs nothing at that moment, only its number is there.
    ///
    /// No line is torn, and none is mixed with another. The start of a line without an end is shown when its call has
    /// ended; a line of more than 3 KiB is shown in several, each behind a prefix of its own. A `par_map` sends several
    /// items in one call; their lines are shown as they come, like all others.
    Prefix,
    /// It is kept with the call, and printed by the thread that receives the result, before that has it: with `print!`
    /// and `eprint!`, so that a test harness shows it with the test that it belongs to. Or it is had by
    /// [`JoinHandle::join_captured`], and not printed at all.
    ///
    /// Up to 1 MiB is kept for each call, of both streams and all attempts together; of what is beyond that the number of
    /// bytes is told. What the items of a [`par_map`](crate::ParMap) print is printed by the thread that iterates, when it
    /// takes in the results of a chunk; to have it for each item by itself, spawn calls. What is printed while no call
    /// runs, and by calls for whose results nobody waits, appears on the program's own streams.
    ///
    /// [`JoinHandle::join_captured`]: crate::JoinHandle::join_captured
    Capture,
    /// It is discarded.
    Null,
}

impl Output {
    /// Whether it matters which call has printed something.
    pub(crate) const fn is_by_call(self) -> bool {
        matches!(self, Self::Prefix | Self::Capture)
    }
}

impl Default for Output {
    /// `Inherit`. With the feature `test`, `Capture`: what a worker prints should be seen with the test that it belongs
    /// to.
    fn default() -> Self {
        if cfg!(feature = "test") { Self::Capture } else { Self::Inherit }
    }
}
