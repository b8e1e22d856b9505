//! Keeps this worker from what its pool was told to keep it from, before anything of the user's runs in it.
//!
//! What a thread has and its threads and children inherit comes first, while there is one thread, so that each other
//! one, also the one that watches the parent, is bound as well: a handler of a signal may run on any of them. What the
//! kernel counts for the whole process comes last, when the library has what it needs for itself. If anything of it
//! cannot be had, this process says which setting that is, and ends before it has said hello: nothing runs in a worker
//! that is less confined than was asked for.

use std::io;
use std::time::Duration;

use crate::confinement::Confinement;
use crate::sys::confine;
use crate::wire::message::NOT_A_WORKER;

/// What is inherited by threads and processes that are started later. To be called while there is no other thread.
pub(super) fn this_thread(wanted: &Confinement) {
    if wanted.no_core_dumps {
        must("no_core_dumps", confine::no_core_dumps());
    }
    if wanted.no_new_privileges {
        must("no_new_privileges", confine::check_single().and_then(|()| confine::no_new_privileges()));
    }
    #[cfg(feature = "sandbox")]
    sandbox(wanted);
}

/// What is counted for the whole process.
pub(super) fn this_process(wanted: &Confinement) {
    if let Some(limit) = wanted.cpu_time_limit {
        must("cpu_time_limit", confine::limit_cpu_time(seconds(limit)));
    }
    if let Some(bytes) = wanted.address_space_limit {
        must("address_space_limit", confine::limit_address_space(bytes));
    }
    if let Some(count) = wanted.open_files_limit {
        must("open_files_limit", confine::limit_open_files(count));
    }
}

#[cfg(feature = "sandbox")]
fn sandbox(wanted: &Confinement) {
    use confine::calls::Forbidden;
    let mut forbidden = Forbidden::default();
    if wanted.read_only_file_system {
        let done = confine::check_single().and_then(|()| confine::files::read_only_but(&wanted.writable));
        must("read_only_file_system", done.and_then(|()| forbidden.file_attributes()));
    }
    if wanted.no_network {
        must("no_network", confine::check_single().and_then(|()| forbidden.network()));
    }
    if wanted.no_network || wanted.read_only_file_system {
        // One filter for both: each costs every system call a little.
        let setting = if wanted.no_network { "no_network" } else { "read_only_file_system" };
        must(setting, forbidden.forbid());
    }
}

/// The kernel counts whole seconds.
fn seconds(limit: Duration) -> u64 {
    limit.as_secs().saturating_add(u64::from(limit.subsec_nanos() > 0))
}

fn must(setting: &str, done: io::Result<()>) {
    if let Err(why) = done {
        eprintln!("loky: the pool's `{setting}` cannot be had here: {why}");
        std::process::exit(NOT_A_WORKER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_counts_as_one() {
        let of = |millis| seconds(Duration::from_millis(millis));
        assert_eq!([of(1), of(1000), of(1001)], [1, 1, 2]);
        assert_eq!(seconds(Duration::MAX), u64::MAX);
    }
}
