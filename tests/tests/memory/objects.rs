//! What was given to a pool is let go in time.

use loky_tests::{Case, Program};

pub(crate) const CASES: &[Case] = &[];
pub(crate) const PROGRAMS: &[Program] = &[];
