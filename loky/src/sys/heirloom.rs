//! Has the copies of this process know from the start where the program lies in memory.
//!
//! When the kernel copies a process, it leaves out where the pages of files are, since a copy finds them again when it
//! comes to them; but that costs the copy a fault for every few pages, which together take as long as all else that
//! it does until its first answer. What is not left out is memory that may have more in it than its file: so each
//! part of the program is made such memory, by a guard that is put on one of its pages and taken off again. A kernel
//! that does not know of such guards refuses, and all is as before.

use std::ffi::c_void;
use std::io;
use std::ops::Range;

use nix::errno::Errno;
use nix::libc::{self, c_int};
use nix::sys::signal::{SigSet, SigmaskHow};

/// For a process of one thread, which knows by then what its copies will need. Returns whether the kernel has taken it
/// in. An error if a part of the program was lost: then nothing should go on here.
pub(crate) fn bequeath() -> io::Result<bool> {
    // A handler might lie on such a page.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let touched = parts().iter().filter_map(quiet_page).try_fold(false, |is_any, page| Ok(touch(page)? || is_any));
    before.thread_set_mask()?;
    touched
}

/// What of the program and its libraries is not written to.
fn parts() -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    // SAFETY: the callback is called in this thread before this returns, with the pointer that is passed here.
    unsafe { libc::dl_iterate_phdr(Some(note_parts), (&raw mut parts).cast()) };
    parts
}

const PAGE: usize = 4096;

/// Of `madvise`; the bindings do not name them yet.
const GUARD_INSTALL: c_int = 102;
const GUARD_REMOVE: c_int = 103;

/// A page of this part that nobody needs while a guard is on it: not with what runs meanwhile, and with its neighbors.
fn quiet_page(part: &Range<usize>) -> Option<usize> {
    let busy = [touch as *const (), libc::madvise as *const ()].map(|code| code.addr() / PAGE);
    let is_quiet = |page: &usize| busy.iter().all(|busy| busy.abs_diff(page / PAGE) > 1);
    part.clone().step_by(PAGE).find(is_quiet)
}

/// Whatever stands on the page cannot be reached in between. Returns whether there was a guard.
#[inline(never)]
fn touch(page: usize) -> io::Result<bool> {
    let page: *mut c_void = std::ptr::with_exposed_provenance_mut(page);
    // SAFETY: the page belongs to a file that is mapped for as long as this process lives, and is not written to, so that
    // nothing is lost of it. Until the guard is gone nobody reaches for it: there is no other thread, and what runs here,
    // this function and that of the C library, lies elsewhere.
    unsafe {
        if libc::madvise(page, PAGE, GUARD_INSTALL) != 0 {
            return Ok(false);
        }
        Errno::result(libc::madvise(page, PAGE, GUARD_REMOVE))?;
    }
    Ok(true)
}

/// Notes the parts of an object that are not written to, as whole pages.
unsafe extern "C" fn note_parts(info: *mut libc::dl_phdr_info, _: libc::size_t, parts: *mut c_void) -> libc::c_int {
    // SAFETY: the loader passes a valid description of an object, and the pointer that it was given.
    let (info, parts) = unsafe { (&*info, &mut *parts.cast::<Vec<Range<usize>>>()) };
    // SAFETY: so many headers lie there, for as long as the object is loaded.
    let segments = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let is_constant =
        |segment: &&libc::Elf64_Phdr| segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_W == 0;
    for segment in segments.iter().filter(is_constant) {
        let start = (info.dlpi_addr as usize).wrapping_add(segment.p_vaddr as usize);
        parts.push(start & !(PAGE - 1)..start.wrapping_add(segment.p_filesz as usize) & !(PAGE - 1));
    }
    0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};

    use super::*;
    use crate::sys::process::exit_now;

    /// How many pages of the program this process would not have to look for.
    fn known() -> usize {
        let map = std::fs::File::open("/proc/self/pagemap").unwrap();
        let is_there = |page: &usize| {
            let (mut entry, at) = ([0; 8], page / PAGE * 8);
            map.read_exact_at(&mut entry, at as u64).is_ok() && entry[7] & 0x80 != 0
        };
        parts().into_iter().flat_map(|part| part.step_by(PAGE)).filter(is_there).count()
    }

    /// What a forked child finds.
    fn of_child(look: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child does what needs no other thread, and leaves without running what was registered for its end.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => exit_now(i32::from(!look())),
            ForkResult::Parent { child } => waitpid(child, None) == Ok(WaitStatus::Exited(child, 0)),
        }
    }

    #[test]
    fn a_copy_knows_what_the_original_knew() {
        assert!(of_child(|| {
            let Ok(is_possible) = bequeath() else { return false };
            let original = known();
            !is_possible || of_child(|| known() >= original)
        }));
    }
}
