//! One value from rank 0 to all others through PMIx, where its library is.
//!
//! Declared after `pmix_common.h` of 4.2.2. Layouts and numbers have been the same since 2.0, which is what the 2 in the
//! name of the library says; servers from 3 to 5 have answered. All calls block for as long as the server lets them, and the
//! library starts threads, so this is for a process of which nothing else is wanted.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use super::library::Library;

/// `pmix_proc_t`: a name space of at most 255 letters, and a rank in it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Process {
    space: [u8; 256],
    rank: u32,
}

/// `pmix_value_t`: what kind it is, and a union of 24 bytes, of which a string is the first pointer.
#[repr(C)]
struct Value {
    kind: u16,
    data: [*const c_char; 3],
}

/// `PMIX_STRING`.
const STRING: u16 = 3;
/// `PMIX_GLOBAL`: for all ranks, on this machine and on others.
const GLOBAL: u8 = 3;
const KEY: &CStr = c"loky";

/// Longer values are none of ours.
const LENGTH_MAX: usize = 4096;

type Init = unsafe extern "C" fn(*mut Process, *const c_void, usize) -> c_int;
type Put = unsafe extern "C" fn(u8, *const c_char, *const Value) -> c_int;
type Fence = unsafe extern "C" fn(*const Process, usize, *const c_void, usize) -> c_int;
type Get = unsafe extern "C" fn(*const Process, *const c_char, *const c_void, usize, *mut *mut Value) -> c_int;
type Finalize = unsafe extern "C" fn(*const c_void, usize) -> c_int;

struct Pmix {
    init: Init,
    put: Put,
    commit: extern "C" fn() -> c_int,
    fence: Fence,
    get: Get,
    finalize: Finalize,
}

impl Pmix {
    fn open() -> Result<Self, String> {
        let library = Library::open(c"libpmix.so.2")?;
        // SAFETY: the signatures are those of `pmix.h`.
        unsafe {
            Ok(Self {
                init: library.function(c"PMIx_Init")?,
                put: library.function(c"PMIx_Put")?,
                commit: library.function(c"PMIx_Commit")?,
                fence: library.function(c"PMIx_Fence")?,
                get: library.function(c"PMIx_Get")?,
                finalize: library.function(c"PMIx_Finalize")?,
            })
        }
    }

    fn init(&self) -> Result<Process, String> {
        let mut me = Process { space: [0; 256], rank: 0 };
        // SAFETY: there is room for the answer, and no details are given.
        good("PMIx_Init", unsafe { (self.init)(&raw mut me, ptr::null(), 0) })?;
        Ok(me)
    }

    fn put(&self, text: &CStr) -> Result<(), String> {
        let value = Value { kind: STRING, data: [text.as_ptr(), ptr::null(), ptr::null()] };
        // SAFETY: key and value are complete, and the library copies both.
        good("PMIx_Put", unsafe { (self.put)(GLOBAL, KEY.as_ptr(), &raw const value) })?;
        good("PMIx_Commit", (self.commit)())
    }

    /// Waits until all ranks are here.
    fn fence(&self) -> Result<(), String> {
        // SAFETY: no list means all ranks of this name space, and no details are given.
        good("PMIx_Fence", unsafe { (self.fence)(ptr::null(), 0, ptr::null(), 0) })
    }

    fn get(&self, of: &Process) -> Result<String, String> {
        let mut value: *mut Value = ptr::null_mut();
        // SAFETY: the name and the key are complete, and there is room for the answer.
        good("PMIx_Get", unsafe { (self.get)(of, KEY.as_ptr(), ptr::null(), 0, &raw mut value) })?;
        // SAFETY: the library has made a value, which is never freed, since this process is short.
        let value = unsafe { value.as_ref() }.ok_or("PMIx_Get gave nothing")?;
        if value.kind != STRING || value.data[0].is_null() {
            return Err("PMIx_Get gave something else than text".to_owned());
        }
        // SAFETY: the kind says that this is a string.
        let text = unsafe { CStr::from_ptr(value.data[0]) };
        text.to_str().ok().filter(|text| text.len() <= LENGTH_MAX).map(str::to_owned).ok_or("it is no text".to_owned())
    }

    /// A server takes a process that ends without this for one that has failed.
    fn finalize(&self) {
        // SAFETY: no details are given.
        unsafe { (self.finalize)(ptr::null(), 0) };
    }
}

/// Rank 0 gives `mine`, all others get it. Waits until all ranks have come, for as long as it takes.
pub(crate) fn exchange(mine: Option<&str>) -> Result<String, String> {
    let mine = mine.map(|text| CString::new(text).map_err(|_| "a value cannot have a zero in it")).transpose()?;
    let pmix = Pmix::open()?;
    let me = pmix.init()?;
    let done = (|| {
        if let Some(text) = &mine {
            pmix.put(text)?;
        }
        pmix.fence()?;
        let value = match &mine {
            Some(text) => text.to_string_lossy().into_owned(),
            None => pmix.get(&Process { rank: 0, ..me })?,
        };
        // Nobody leaves before all have read: the server of rank 0 may forget its value with it.
        pmix.fence()?;
        Ok(value)
    })();
    pmix.finalize();
    done
}

fn good(what: &str, code: c_int) -> Result<(), String> {
    if code == 0 { Ok(()) } else { Err(format!("{what} failed with code {code}")) }
}

#[cfg(test)]
mod tests {
    use super::{Process, Value};

    /// As a C compiler lays out those of `pmix_common.h`.
    #[test]
    fn layouts_are_those_of_the_library() {
        assert_eq!((size_of::<Process>(), std::mem::offset_of!(Process, rank)), (260, 256));
        assert_eq!((size_of::<Value>(), std::mem::offset_of!(Value, data)), (32, 8));
    }
}
