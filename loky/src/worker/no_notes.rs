//! Without the feature `tracing`, nothing that tasks log is noted.

use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::sys::page::Page;

pub(super) fn begin(_: &Page, _: Arc<UnixStream>) {}

#[inline]
pub(super) fn before_call(_is_errand: bool) {}

#[inline]
pub(super) fn after_item() {}
