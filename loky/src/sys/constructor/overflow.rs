//! Says in words that a stack has overflowed, in a process that never gets to where the standard library sees to that.
//!
//! For the thread that installs it. A thread that a task starts has nobody to say it: it ends the process by SIGSEGV.

use std::ops::Range;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void, siginfo_t};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::sys::stdio::{self, Stream};

/// Where an access means that the stack of the thread has overflowed.
static BELOW_STACK: OnceLock<Range<usize>> = OnceLock::new();

/// The kernel keeps so much free below a stack that can grow.
const GUARD_LEN: usize = 1 << 20;

const PAGE_LEN: usize = 4096;

const ALTERNATE_STACK_LEN: usize = 64 << 10;

const MESSAGE: &str = "\nthread 'main' has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";

/// From now on an overflow of the calling thread's stack ends the process by SIGABRT and with a message. Where the
/// system does not tell where that stack is, everything stays as it was.
pub(crate) fn install() {
    let Ok(lowest) = lowest_of_stack() else { return };
    let _ = BELOW_STACK.set(lowest.saturating_sub(GUARD_LEN)..lowest + PAGE_LEN);
    let stack = libc::stack_t {
        // Never freed: it is needed as long as the process lives.
        ss_sp: Box::leak(vec![0_u8; ALTERNATE_STACK_LEN].into_boxed_slice()).as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: ALTERNATE_STACK_LEN,
    };
    // SAFETY: the memory is as long as said, and nobody else's from now on; a null pointer asks for no old stack.
    if unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) } != 0 {
        return;
    }
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(tell), flags, SigSet::empty());
    for signal in [Signal::SIGSEGV, Signal::SIGBUS] {
        // SAFETY: the handler does only what a handler may: it writes, sets a signal's action, ends the process.
        let _ = unsafe { sigaction(signal, &action) };
    }
}

extern "C" fn tell(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes what belongs to this signal, for as long as the handler runs.
    let address = unsafe { (*info).si_addr() } as usize;
    if BELOW_STACK.get().is_some_and(|range| range.contains(&address)) {
        stdio::write_all(Stream::Error, MESSAGE.as_bytes());
        std::process::abort();
    }
    // Not ours to explain: whatever made the access makes it again, now without a handler.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    if let Ok(signal) = Signal::try_from(signal) {
        // SAFETY: no handler is installed.
        let _ = unsafe { sigaction(signal, &default) };
    }
}

/// The lowest address that the calling thread's stack may grow to.
fn lowest_of_stack() -> Result<usize, Errno> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut start, mut len) = (std::ptr::null_mut(), 0);
    // SAFETY: the thread exists. The first call fills the attributes in, or says that it has not; after that they are
    // read once and given back once.
    unsafe {
        let filled = libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr());
        if filled != 0 {
            return Err(Errno::from_raw(filled));
        }
        let read = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut len);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if read == 0 { Ok(start as usize) } else { Err(Errno::from_raw(read)) }
    }
}
