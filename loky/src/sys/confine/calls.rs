//! Forbids some system calls, by a seccomp filter: they fail with EPERM.
//!
//! A filter sees numbers, no paths and no addresses, so what it can forbid is a whole call, or one with a certain
//! number among its arguments. A call by way of another architecture (32 bits) ends the process: the numbers of calls
//! are others there.

use std::collections::BTreeMap;
use std::io;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Forbidden calls by number; without rules always, with rules if one of them holds.
#[derive(Debug, Default)]
pub(crate) struct Forbidden(BTreeMap<i64, Vec<SeccompRule>>);

impl Forbidden {
    /// Whatever could reach beyond this machine, or another process that can: sockets, but for connected pairs. What is
    /// done with one that this process was started with is not forbidden, except to connect it to somebody else.
    pub(crate) fn network(&mut self) -> io::Result<()> {
        self.always(&[libc::SYS_socket, libc::SYS_connect, libc::SYS_io_uring_setup]);
        // Ways to the sockets of other processes of the same user.
        self.always(&[libc::SYS_ptrace, libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd]);
        let is_foreign = [condition(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?];
        // A datagram can be sent to anybody's socket, also from a pair; and to the kernel, such a raw one is no other.
        let is = |kind: i32| condition(1, SeccompCmpOp::MaskedEq(SOCKET_TYPE_MASK), kind as u64);
        let rules = [is_foreign, [is(libc::SOCK_DGRAM)?], [is(libc::SOCK_RAW)?]];
        self.sometimes(libc::SYS_socketpair, rules.map(Vec::from))
    }

    /// Changes of what is known about a file beside its contents: its mode, owner, times and attributes.
    pub(crate) fn file_attributes(&mut self) -> io::Result<()> {
        self.always(&[libc::SYS_fchmod, libc::SYS_fchmodat, SYS_FCHMODAT2]);
        self.always(&[libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_utimensat]);
        self.always(&[libc::SYS_setxattr, libc::SYS_lsetxattr, libc::SYS_fsetxattr, SYS_SETXATTRAT]);
        self.always(&[libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr, SYS_REMOVEXATTRAT]);
        self.always(&[SYS_FILE_SETATTR, libc::SYS_io_uring_setup]);
        // Newer architectures never had these.
        #[cfg(target_arch = "x86_64")]
        self.always(&[
            libc::SYS_chmod,
            libc::SYS_chown,
            libc::SYS_lchown,
            libc::SYS_utime,
            libc::SYS_utimes,
            libc::SYS_futimesat,
        ]);
        let requests = [FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR];
        let rules = requests.map(|request| condition(1, SeccompCmpOp::Eq, request).map(|it| vec![it]));
        self.sometimes(libc::SYS_ioctl, rules.into_iter().collect::<io::Result<Vec<_>>>()?)
    }

    /// From now on, for this thread and what it starts.
    pub(crate) fn forbid(self) -> io::Result<()> {
        let arch = architecture().ok_or_else(|| io::Error::other("no seccomp filter for this architecture"))?;
        let denied = SeccompAction::Errno(libc::EPERM as u32);
        let filter = SeccompFilter::new(self.0, SeccompAction::Allow, denied, arch).map_err(io::Error::other)?;
        let program = BpfProgram::try_from(filter).map_err(io::Error::other)?;
        seccompiler::apply_filter(&program).map_err(|why| io::Error::other(format!("no seccomp filter: {why}")))
    }

    fn always(&mut self, calls: &[i64]) {
        for number in calls.iter().flat_map(|&call| numbers(call)) {
            self.0.insert(number, Vec::new());
        }
    }

    fn sometimes(&mut self, call: i64, rules: impl IntoIterator<Item = Vec<SeccompCondition>>) -> io::Result<()> {
        let rules: Result<Vec<_>, _> = rules.into_iter().map(SeccompRule::new).collect();
        let rules = rules.map_err(io::Error::other)?;
        self.0.extend(numbers(call).map(|number| (number, rules.clone())));
        Ok(())
    }
}

/// Those whose numbers are known to who makes the filter.
const fn architecture() -> Option<TargetArch> {
    if cfg!(target_arch = "x86_64") {
        Some(TargetArch::x86_64)
    } else if cfg!(target_arch = "aarch64") {
        Some(TargetArch::aarch64)
    } else if cfg!(target_arch = "riscv64") {
        Some(TargetArch::riscv64)
    } else {
        None
    }
}

fn condition(argument: u8, is: SeccompCmpOp, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value).map_err(io::Error::other)
}

/// A call has a second number where the kernel also knows 64-bit programs with 32-bit pointers.
fn numbers(call: i64) -> impl Iterator<Item = i64> {
    const X32: i64 = 1 << 30;
    [Some(call), cfg!(target_arch = "x86_64").then_some(call | X32)].into_iter().flatten()
}

/// The rest are flags.
const SOCKET_TYPE_MASK: u64 = 0xf;

/// Numbers that are the same on all architectures, and younger than some bindings.
const SYS_FCHMODAT2: i64 = 452;
const SYS_SETXATTRAT: i64 = 463;
const SYS_REMOVEXATTRAT: i64 = 466;
const SYS_FILE_SETATTR: i64 = 469;

/// Requests by which a file's attributes are changed through a descriptor that was opened to be read.
const FS_IOC_SETFLAGS: u64 = 0x4008_6602;
const FS_IOC_FSSETXATTR: u64 = 0x401c_5820;
