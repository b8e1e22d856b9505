//! Where a call is, in a word.

/// Where a call is; see [`JoinHandle::status`](crate::JoinHandle::status).
///
/// # Examples
///
/// ```
/// use loky::CallStatus;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let handle = square.spawn(7);
/// match handle.status() {
///     CallStatus::Queued => println!("no worker was free"),
///     CallStatus::Running => println!("it runs"),
///     status => println!("{status:?}"),
/// }
/// # handle.join()?;
/// # Ok(()) } }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallStatus {
    /// It waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// It has a result or an error.
    Finished,
}
