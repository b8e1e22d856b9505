//! Code that runs before `main`, and the constructors that would have run after it.
//!
//! The loader calls every function in the section `.init_array`, one after the other, in an order that the linker has
//! chosen. Whoever never returns from there keeps the rest from running: constructors of C libraries, and those by
//! which tasks are registered. So it has to run them itself.

pub(crate) mod overflow;

use std::ffi::c_void;

use nix::sys::signal::{SigHandler, Signal, signal};

/// What the loader finds in the section. It passes the number of arguments, the arguments and the environment, or, as
/// musl does, nothing: then nobody reads what is in their places.
pub(crate) type Constructor = extern "C" fn(usize, usize, usize);

/// Has the given function called before `main`, with the [`Rest`] of the constructors.
macro_rules! before_main {
    ($function:path) => {
        const _: () = {
            use $crate::sys::constructor::{Constructor, Rest};

            #[expect(unsafe_code, reason = "to stand in this section is all that makes a constructor")]
            #[used]
            // SAFETY: the section holds pointers to functions of this type, and this is one; it does not unwind,
            // because a panic in an `extern "C"` function aborts.
            #[unsafe(link_section = ".init_array")]
            static SLOT: Constructor = construct;

            extern "C" fn construct(count: usize, arguments: usize, environment: usize) {
                $function(Rest::after(&SLOT, [count, arguments, environment]));
            }
        };
    };
}
pub(crate) use before_main;

/// The constructors behind one of them.
pub(crate) struct Rest {
    before: *const Constructor,
    arguments: [usize; 3],
}

// In a shared library some linkers do not define this symbol. Being weak, it is null there instead of an error.
std::arch::global_asm!(".weak __init_array_end");

// SAFETY: the linker defines it as the address just behind the section, or not at all; it is never read.
unsafe extern "C" {
    static __init_array_end: c_void;
}

impl Rest {
    /// For `before_main!`: `slot` is where the section names the constructor that runs now.
    pub(crate) fn after(slot: &'static Constructor, arguments: [usize; 3]) -> Self {
        Self { before: slot, arguments }
    }

    /// Calls them. The caller must not return to the loader, which would call them again.
    pub(crate) fn run(self) {
        let [count, arguments, environment] = self.arguments;
        let end: *const Option<Constructor> = (&raw const __init_array_end).cast();
        let mut next = self.before.cast::<Option<Constructor>>().wrapping_add(1);
        while next < end {
            // SAFETY: between a slot of the section and its end there are only slots, each with a function of this type
            // or, as padding, nothing. The loader would call it now with the same arguments.
            if let Some(constructor) = unsafe { *next } {
                constructor(count, arguments, environment);
            }
            next = next.wrapping_add(1);
        }
    }
}

/// Lets a write to a pipe that nobody reads fail instead of ending the process, as it is in Rust programs from the
/// beginning of `main` on.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: no handler is installed. It cannot fail: the signal exists and may be ignored.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) };
}
