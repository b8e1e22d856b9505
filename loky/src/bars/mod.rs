//! What is drawn of progress on the program's standard error, for as many as there are at once. Nothing here knows what it is
//! that makes progress.

#[cfg(feature = "progress")]
mod bar;
#[cfg(feature = "progress")]
mod figures;

#[cfg(feature = "progress")]
pub(crate) use self::bar::{Bar, TICK, suspended};
#[cfg(feature = "progress")]
pub(crate) use self::figures::{Figures, Own};

/// Without the feature `progress`, nothing is ever drawn that would have to make room.
#[cfg(not(feature = "progress"))]
#[inline]
pub(crate) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    write()
}
