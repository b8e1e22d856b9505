//! Prepares a process that has just been started to be a worker.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::prctl;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::dup2_stdin;

/// Takes the link from descriptor 0, where the parent put it, and leaves `/dev/null` there. An error if descriptor 0
/// is not a socket: nobody started this process as a worker.
pub(crate) fn take_link() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    if !is_socket(&stdin)? {
        return Err(io::Error::other("descriptor 0 is not a socket"));
    }
    // Above the standard three, also in a program that was started with those closed.
    let link = fcntl(&stdin, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(UnixStream::from(unsafe { OwnedFd::from_raw_fd(link) }))
}

/// Takes a socket that a launcher has left open for us under this number, and said so in a variable; an error if there is
/// none. For the same number this must be called once.
#[cfg(feature = "cluster")]
pub(crate) fn take_launcher_link(number: i32) -> io::Result<UnixStream> {
    if number <= 2 || !is_inherited(number) {
        return Err(io::Error::other(format!("descriptor {number} was not left open")));
    }
    // SAFETY: called at the very start of `main`: no code of this program has run that could own the descriptor, which is
    // open, since it was just asked about, and was given to us by whoever has started this process.
    let link = unsafe { OwnedFd::from_raw_fd(number) };
    if !is_socket(&link)? {
        return Err(io::Error::other(format!("descriptor {number} is no socket")));
    }
    fcntl(&link, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(UnixStream::from(link))
}

/// Closes what the parent's other libraries have left open for all programs that it starts. A worker keeps descriptors
/// 0 to 2 and whatever this process has opened by itself, which it marked as its own (close-on-exec).
///
/// Somebody else's pipe that a worker held open would never end.
pub(crate) fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let fds = names.iter().filter_map(|name| name.to_str()?.parse::<i32>().ok());
    for fd in fds.filter(|&fd| fd > 2 && is_inherited(fd)) {
        // SAFETY: called at the very start of `main`: no code of this program has run that could own the descriptor.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

fn is_inherited(fd: i32) -> bool {
    // SAFETY: the descriptor is only asked about; one that is not open gives an error.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    fcntl(fd, FcntlArg::F_GETFD).is_ok_and(|flags| !FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC))
}

/// Removes a variable from this process's environment.
pub(crate) fn remove_variable(name: &str) {
    // SAFETY: called at the very start of `main`, before this program has started a thread that could read the
    // environment at the same time.
    unsafe { std::env::remove_var(name) };
}

/// Changes this process's environment; `None` removes. An error if there can be no such variable.
pub(crate) fn set_variable(name: &OsStr, value: Option<&OsStr>) -> io::Result<()> {
    let has_name = !name.is_empty() && !name.as_bytes().contains(&b'=');
    let is_text = |text: &OsStr| !text.as_bytes().contains(&0);
    if !has_name || !is_text(name) || !value.is_none_or(is_text) {
        return Err(io::Error::other(format!("there can be no variable {name:?} with the value {value:?}")));
    }
    // SAFETY: called before this process has started a thread that could read the environment at the same time.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
    Ok(())
}

/// Makes Ctrl-C the parent's business, and unblocks all signals. A copy of this process has that from it.
pub(crate) fn set_up_signals() -> io::Result<()> {
    // A handler, not SIG_IGN: the programs that a task starts would inherit that, but begin with default handlers.
    let quiet = SigAction::new(SigHandler::Handler(do_nothing), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing at all, so it may run at any moment.
    unsafe { sigaction(Signal::SIGINT, &quiet) }?;
    // A program that ignores the deaths of its children would have workers that cannot tell how theirs ended.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed.
    unsafe { sigaction(Signal::SIGCHLD, &default) }?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    Ok(())
}

/// Adopts the orphans of this process's own children (to find them when they must go), and lets even a stopped worker
/// notice that its parent has died. The kernel forgets both in a copy of this process.
pub(crate) fn set_up_family() -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    prctl::set_pdeathsig(Signal::SIGCONT)?;
    Ok(())
}

/// What this process did with a signal.
pub(crate) struct Before(SigAction);

/// Makes SIGTERM the parent's business, too. Returns what was done with it before.
pub(crate) fn spare_from_termination() -> io::Result<Before> {
    let quiet = SigAction::new(SigHandler::Handler(do_nothing), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing at all, so it may run at any moment.
    Ok(Before(unsafe { sigaction(Signal::SIGTERM, &quiet) }?))
}

/// Does with SIGTERM what was done before.
pub(crate) fn restore_termination(Before(action): &Before) -> io::Result<()> {
    // SAFETY: it is what the process was started with, and no handler was installed then.
    unsafe { sigaction(Signal::SIGTERM, action) }?;
    Ok(())
}

/// The name of this process in `ps`: the first 15 bytes of `name`.
pub(crate) fn set_process_name(name: &str) {
    let bytes: Vec<u8> = name.bytes().filter(|&byte| byte != 0).take(15).collect();
    if let Ok(name) = std::ffi::CString::new(bytes) {
        let _ = prctl::set_name(&name);
    }
}

fn is_socket(fd: impl std::os::fd::AsFd) -> io::Result<bool> {
    Ok(SFlag::from_bits_truncate(fstat(fd)?.st_mode) & SFlag::S_IFMT == SFlag::S_IFSOCK)
}

extern "C" fn do_nothing(_: i32) {}
