//! Settings that keep workers from the network and from changing files: the feature `sandbox`.

use std::path::PathBuf;

use super::PoolBuilder;
use super::hardening::refused;
use crate::confinement::Confinement;
use crate::error::Error;

/// With the feature `sandbox`. Both settings need no privileges, and imply
/// [`no_new_privileges`](Self::no_new_privileges); see there for what is said of all such settings.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), loky::Error> {
/// let decoders = loky::Pool::builder()
///     .no_network(true)
///     .read_only_file_system(true)
///     .writable("/tmp")
///     .build()?;
/// # drop(decoders);
/// # Ok(())
/// # }
/// ```
impl PoolBuilder {
    /// Keeps workers, and whatever they start, from making sockets, by a seccomp filter. Default: no.
    ///
    /// It stops: `socket` and `connect`, for all kinds of address: the Internet, raw packets, the kernel's own
    /// (netlink), virtual machines (vsock), and Unix sockets, by a path or an abstract name, behind which services of
    /// this machine may listen that do more than the worker can itself. `io_uring`, which could do the same unseen. And
    /// three calls by which a process takes hold of another one and its sockets (`ptrace`, `process_vm_writev`,
    /// `pidfd_getfd`). They fail with "operation not permitted". Pairs of connected Unix stream sockets, by which
    /// processes below one another talk, can be made, so pools within tasks work.
    ///
    /// It leaves open: whatever the standard output is, if it is a socket; pipes, signals, shared memory and files, by
    /// which another process that is *willing* could be asked; and what is written for other processes to read, unless
    /// [`read_only_file_system`](Self::read_only_file_system) is asked for, too: that also closes `/proc/<pid>/mem`.
    /// Names are not resolved any more (`getaddrinfo` fails), and programs of another architecture (32 bits) are killed
    /// when they start.
    ///
    /// It needs seccomp filters, which nearly all kernels have, an architecture among x86-64, aarch64 and riscv64, and
    /// a program in which no library has started a thread before `main`; else launches fail.
    pub fn no_network(mut self, is_wanted: bool) -> Self {
        self.settings.confinement.no_network = is_wanted;
        self
    }

    /// Keeps workers, and whatever they start, from changing the file system, by Landlock, but below the paths that are
    /// named by [`writable`](Self::writable). Default: no.
    ///
    /// It stops: opening for writing, creating (folders, links, sockets, pipes and devices included), removing,
    /// renaming, linking and truncating anything; mounting; and taking hold of processes that are not confined as well
    /// (`ptrace`, `/proc/<pid>/mem`). These fail with "permission denied". And, by a seccomp filter and so
    /// *everywhere*, also below writable paths, changing modes, owners, times and attributes of files: "operation not
    /// permitted"; so [`std::fs::copy`], which copies the mode, fails even there, and [`std::io::copy`] does not.
    /// `io_uring` is not to be had. `/dev/null` can be written to, and anonymous memory is no file.
    ///
    /// It leaves open: reading, everywhere; what was open before, which is the standard output and error; and requests
    /// to devices that can be opened for reading. Programs of another architecture (32 bits) are killed when they
    /// start.
    ///
    /// It needs Linux 6.2 with Landlock among its security modules, an architecture among x86-64, aarch64 and riscv64,
    /// and a program in which no library has started a thread before `main`; else launches fail.
    pub fn read_only_file_system(mut self, is_wanted: bool) -> Self {
        self.settings.confinement.read_only_file_system = is_wanted;
        self
    }

    /// Excepts a file, or a folder with all below it, from [`read_only_file_system`](Self::read_only_file_system). Can
    /// be said several times. Default: nothing is excepted. Without that setting it is an error at `build`.
    ///
    /// A path that is not absolute counts from the directory in which workers start. It must be there when a worker
    /// starts, or the launch fails; it is followed to what it means then, so it may be a link.
    pub fn writable(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.confinement.writable.push(path.into().into_os_string());
        self
    }
}

pub(super) fn check(wanted: &Confinement) -> Result<(), Error> {
    if wanted.writable.is_empty() || wanted.read_only_file_system {
        Ok(())
    } else {
        Err(refused("`writable` alone", "it excepts a path from `read_only_file_system(true)`: ask for that, too"))
    }
}
