//! The program as it lies in memory: where its code is, and which build it is.
//!
//! The kernel loads a program somewhere else each time, but what is in it keeps its distance from its start. So a
//! place in the code is told to another process of the same build as that distance.

use std::ffi::c_void;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use nix::libc;

/// Where a function lies, as a distance from the start of the program; `None` if it lies in a shared library.
pub(crate) fn offset_of(function: *const ()) -> Option<u64> {
    let address = function.addr();
    let image = Image::of_this_program();
    image.holds_code(address).then(|| (address - image.base) as u64)
}

/// The other way round; `None` if there is no code at that distance.
pub(crate) fn address_at(offset: u64) -> Option<*const ()> {
    let image = Image::of_this_program();
    let address = image.base.checked_add(usize::try_from(offset).ok()?)?;
    image.holds_code(address).then(|| std::ptr::with_exposed_provenance(address))
}

/// The same in two processes if they run the same build.
///
/// It is made of the id that the linker has left in the program, and of how the program is laid out, for linkers that
/// leave none.
pub(crate) fn build_id() -> u64 {
    Image::of_this_program().build_id
}

#[derive(Debug, Default)]
struct Image {
    base: usize,
    code: Vec<Range<usize>>,
    build_id: u64,
}

impl Image {
    fn of_this_program() -> &'static Self {
        static IMAGE: OnceLock<Image> = OnceLock::new();
        IMAGE.get_or_init(|| {
            let mut image = Self::default();
            // SAFETY: the callback is called in this thread before this returns, with the pointer that is passed here.
            unsafe { libc::dl_iterate_phdr(Some(read_first), (&raw mut image).cast()) };
            image
        })
    }

    fn holds_code(&self, address: usize) -> bool {
        self.code.iter().any(|range| range.contains(&address))
    }

    fn read(&mut self, base: usize, segments: &[libc::Elf64_Phdr]) {
        let mut build = DefaultHasher::new();
        for segment in segments {
            let start = base.wrapping_add(segment.p_vaddr as usize);
            if segment.p_type == libc::PT_LOAD && segment.p_flags & libc::PF_X != 0 {
                self.code.push(start..start + segment.p_memsz as usize);
            }
            if segment.p_type == libc::PT_NOTE {
                // SAFETY: the loader has mapped the segment, which is never written to, for as long as the program lives.
                build.write(unsafe { std::slice::from_raw_parts(start as *const u8, segment.p_memsz as usize) });
            }
            [segment.p_vaddr, segment.p_memsz, segment.p_filesz].iter().for_each(|&number| build.write_u64(number));
        }
        (self.base, self.build_id) = (base, build.finish());
    }
}

/// The first object is the program itself; to return something else than zero ends the walk.
unsafe extern "C" fn read_first(info: *mut libc::dl_phdr_info, _: libc::size_t, image: *mut c_void) -> libc::c_int {
    // SAFETY: the loader passes a valid description of an object, and the pointer that it was given.
    let (info, image) = unsafe { (&*info, &mut *image.cast::<Image>()) };
    // SAFETY: so many headers lie there, for as long as the object is loaded.
    let segments = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    image.read(info.dlpi_addr as usize, segments);
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somewhere() {}

    #[test]
    fn a_function_is_found_again_at_its_distance() {
        let address = somewhere as fn() as *const ();
        let offset = offset_of(address).unwrap();
        assert!(offset > 0 && offset < address.addr() as u64);
        assert_eq!(address_at(offset), Some(address));
    }

    #[test]
    fn what_is_not_code_of_this_program_has_no_place() {
        let data = 7_u8;
        assert_eq!(offset_of((&raw const data).cast()), None);
        assert_eq!(offset_of(libc::getpid as *const ()), None, "it lies in a shared library");
        assert_eq!([address_at(u64::MAX), address_at(0)], [None, None]);
    }

    #[test]
    fn a_build_has_an_id() {
        assert_ne!(build_id(), 0);
        assert_ne!(build_id(), DefaultHasher::new().finish(), "something was read");
    }
}
