//! Libraries that are on some machines and not on others: opened by name, never linked.

use std::ffi::CStr;
use std::ptr::NonNull;

use nix::libc;

/// A library that is open, and stays so: what it has registered by itself, such as threads and handlers, does not end with
/// our use of it.
#[derive(Debug)]
pub(super) struct Library(NonNull<libc::c_void>);

impl Library {
    /// Opens a library by the name that the system's loader knows it by.
    pub(super) fn open(name: &CStr) -> Result<Self, String> {
        // SAFETY: the name is a C string. The library's own initialization runs, as it would if it were linked.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        NonNull::new(handle).map(Self).ok_or_else(|| format!("there is no {} here", name.to_string_lossy()))
    }

    /// A function of the library.
    ///
    /// # Safety
    ///
    /// `F` is a pointer to a function, `extern "C"`, of the signature that the library gives to this name.
    pub(super) unsafe fn function<F: Copy>(&self, name: &CStr) -> Result<F, String> {
        const { assert!(size_of::<F>() == size_of::<*mut libc::c_void>(), "a pointer to a function") };
        // SAFETY: the handle is open, and the name is a C string.
        let symbol = unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) };
        let symbol = NonNull::new(symbol).ok_or_else(|| format!("it has no function {}", name.to_string_lossy()))?;
        // SAFETY: as the caller promises, this is a function of that type; both are pointers, of the same size.
        Ok(unsafe { std::mem::transmute_copy(&symbol.as_ptr()) })
    }
}
