//! The kernel's out-of-memory killer.

use loky_tests::{Case, Program};

pub(crate) const CASES: &[Case] = &[];
pub(crate) const PROGRAMS: &[Program] = &[];
