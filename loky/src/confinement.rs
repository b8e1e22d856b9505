//! What the workers of a pool are kept from, as it was asked for.
//!
//! Only a description, which travels to each worker in its welcome. How it is done, and whether it can be done on this
//! machine, is not known here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nothing of it, unless somebody asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Confinement {
    pub(crate) no_new_privileges: bool,
    pub(crate) no_core_dumps: bool,
    /// In bytes.
    pub(crate) address_space_limit: Option<u64>,
    pub(crate) cpu_time_limit: Option<Duration>,
    pub(crate) open_files_limit: Option<u64>,
    #[cfg(feature = "sandbox")]
    pub(crate) no_network: bool,
    #[cfg(feature = "sandbox")]
    pub(crate) read_only_file_system: bool,
    /// Paths, as text that need not be UTF-8, below which the file system is not read-only.
    #[cfg(feature = "sandbox")]
    pub(crate) writable: Vec<std::ffi::OsString>,
}

impl Confinement {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
