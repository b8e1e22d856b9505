//! What listens in this program to what is logged: calls as spans, and what workers tell.
//!
//! `trace` is a call as a span, `sites` the places that workers have described, `mirror` tells what listens. Everything here
//! that tells something runs code of the user's, so it is called under no lock of the driver's. Nothing here knows how notes
//! come.

#[cfg(feature = "tracing")]
mod mirror;
#[cfg(feature = "tracing")]
mod sites;
#[cfg(not(feature = "tracing"))]
#[path = "no_trace.rs"]
mod trace;
#[cfg(feature = "tracing")]
mod trace;

#[cfg(feature = "tracing")]
pub(crate) use self::mirror::{Heard, Mirror, Of, Source};
#[cfg(feature = "tracing")]
pub(crate) use self::sites::{Wanted, wanted};
pub(crate) use self::trace::Trace;
