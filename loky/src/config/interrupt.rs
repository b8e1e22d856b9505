//! What a pool does when the program is interrupted.

/// What becomes of the calls of a pool when the program is interrupted: by Ctrl-C (SIGINT) or by SIGTERM; see
/// [`PoolBuilder::on_interrupt`](crate::PoolBuilder::on_interrupt). Default: `Drain`.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// use loky::{Interrupt, Pool};
///
/// let prefetching = Pool::builder().workers(2).on_interrupt(Interrupt::Kill).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interrupt {
    /// The calls that have begun are finished, and no other one begins: what has not ends in
    /// [`ErrorKind::Shutdown`](crate::ErrorKind::Shutdown). The second signal kills.
    #[default]
    Drain,
    /// The calls that run are killed at the first signal.
    Kill,
    /// The pool does nothing about it.
    Ignore,
}
