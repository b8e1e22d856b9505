//! Functions that are found in the program though nobody calls them.
//!
//! A mark is left where it is compiled, not where it is run: wherever an instance of a generic function is compiled,
//! the address of another function comes to stand in a section of the program. No instruction is added. This is the
//! way from an instance to what belongs to it, since a static cannot be generic.

use std::arch::asm;

/// A function to be found.
pub(crate) trait Mark {
    /// What it returns.
    type Output;

    /// The function.
    fn marked() -> Self::Output;
}

// The section is named after the version, so that two versions in one program do not find each other's functions. Its
// name is an identifier in C: for such a section the linker defines where it starts and stops.
macro_rules! section {
    ($before:literal) => {
        concat!(
            $before,
            "loky_marks_",
            env!("CARGO_PKG_VERSION_MAJOR"),
            "_",
            env!("CARGO_PKG_VERSION_MINOR"),
            "_",
            env!("CARGO_PKG_VERSION_PATCH")
        )
    };
}

macro_rules! entry {
    ($address:literal) => {
        concat!(section!(".pushsection "), ", \"awR\", @progbits\n.8byte ", $address, "\n.popsection")
    };
}

/// Leaves a mark in the code that this is compiled into.
#[inline(always)]
pub(crate) fn leave<M: Mark>() {
    // SAFETY: not one instruction is added; what is added to the section is what `all` expects to find there.
    unsafe { asm!(entry!("{0}"), sym <M as Mark>::marked, options(nomem, nostack, preserves_flags)) };
}

unsafe extern "C" {
    #[link_name = section!("__start_")]
    static START: [usize; 0];
    #[link_name = section!("__stop_")]
    static STOP: [usize; 0];
}

/// The addresses of all marked functions of this program; a function that was compiled twice may stand there twice.
pub(crate) fn all() -> impl Iterator<Item = *const ()> {
    // So that there is a section, also in a program without marks.
    // SAFETY: not one instruction is added, and zero is no function.
    unsafe { asm!(entry!("0"), options(nomem, nostack, preserves_flags)) };
    let (start, stop) = (&raw const START, &raw const STOP);
    let len = (stop.addr() - start.addr()) / size_of::<usize>();
    // SAFETY: the linker has put the marks of the whole program between these two, and nothing else; the loader has
    // written the addresses before anything of the program ran, and nobody writes there later.
    let marks = unsafe { std::slice::from_raw_parts(start.cast::<*const ()>(), len) };
    marks.iter().copied().filter(|function| !function.is_null())
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::collections::BTreeSet;

    use super::*;

    struct Of<T>(T);

    impl<T> Mark for Of<T> {
        type Output = &'static str;

        fn marked() -> &'static str {
            type_name::<T>()
        }
    }

    fn generic<T>() {
        leave::<Of<T>>();
    }

    #[test]
    fn every_instance_that_was_compiled_is_found() {
        let (_, _) = (generic::<u8> as fn(), std::hint::black_box(generic::<String> as fn()));
        let expected = <Of<String> as Mark>::marked as fn() -> &'static str as *const ();
        let all: BTreeSet<_> = all().collect();
        assert!(all.contains(&expected), "{expected:?} in {all:?}");
    }
}
