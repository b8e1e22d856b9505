//! Credentials of munge, where its library and its daemon are: what is in one can be read by one user, on machines that
//! have the same key.
//!
//! Declared after `munge.h` of 0.5.15; these functions and numbers are those of every 0.5.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use nix::libc;

use super::library::Library;

type Context = *mut c_void;

/// `MUNGE_OPT_TTL`, in seconds, and the most that daemons grant as a rule.
const LIFETIME: c_int = 4;
const LIFETIME_MAX: c_int = 3600;
/// `MUNGE_OPT_UID_RESTRICTION`.
const READER: c_int = 9;

/// `EMUNGE_CRED_EXPIRED`, `EMUNGE_CRED_REWOUND` and `EMUNGE_CRED_REPLAYED`: opened all the same, with a remark on its time.
const REMARKS: [c_int; 3] = [15, 16, 17];

/// Longer ones are none of ours.
const LENGTH_MAX: usize = 4096;

struct Munge {
    create: extern "C" fn() -> Context,
    destroy: extern "C" fn(Context),
    set: unsafe extern "C" fn(Context, c_int, ...) -> c_int,
    encode: unsafe extern "C" fn(*mut *mut c_char, Context, *const c_void, c_int) -> c_int,
    decode: Decode,
    error: extern "C" fn(c_int) -> *const c_char,
}

type Decode = unsafe extern "C" fn(
    *const c_char,
    Context,
    *mut *mut c_void,
    *mut c_int,
    *mut libc::uid_t,
    *mut libc::gid_t,
) -> c_int;

impl Munge {
    fn open() -> Result<Self, String> {
        let library = Library::open(c"libmunge.so.2")?;
        // SAFETY: the signatures are those of `munge.h`.
        unsafe {
            Ok(Self {
                create: library.function(c"munge_ctx_create")?,
                destroy: library.function(c"munge_ctx_destroy")?,
                set: library.function(c"munge_ctx_set")?,
                encode: library.function(c"munge_encode")?,
                decode: library.function(c"munge_decode")?,
                error: library.function(c"munge_strerror")?,
            })
        }
    }

    fn said(&self, code: c_int) -> String {
        let text = (self.error)(code);
        if text.is_null() {
            return format!("munge failed with code {code}");
        }
        // SAFETY: the library gives a string of its own that is never changed.
        let text = unsafe { CStr::from_ptr(text) };
        text.to_string_lossy().into_owned()
    }
}

/// A credential with `bytes` in it that only `user` can open. Asks the daemon, which answers at once or is not there.
pub(crate) fn encode(bytes: &[u8], user: u32) -> Result<String, String> {
    let munge = Munge::open()?;
    let len = c_int::try_from(bytes.len()).map_err(|_| "it is too long".to_owned())?;
    let context = (munge.create)();
    if context.is_null() {
        return Err("munge has no memory".to_owned());
    }
    let mut credential: *mut c_char = ptr::null_mut();
    // SAFETY: the context was made above; each option is followed by a value of its type, an `int` and a `uid_t`; the bytes
    // are as many as is said, and the result is written where there is room for a pointer.
    let code = unsafe {
        (munge.set)(context, LIFETIME, LIFETIME_MAX);
        match (munge.set)(context, READER, user) {
            0 => (munge.encode)(&raw mut credential, context, bytes.as_ptr().cast(), len),
            code => code,
        }
    };
    (munge.destroy)(context);
    if code != 0 || credential.is_null() {
        return Err(munge.said(code));
    }
    // SAFETY: the library has given a string.
    let text = unsafe { CStr::from_ptr(credential) }.to_string_lossy().into_owned();
    // SAFETY: it is ours to free, and used no more.
    unsafe { libc::free(credential.cast()) };
    Ok(text)
}

/// What is in a credential that this user may open, be it for the second time or too late.
pub(crate) fn decode(credential: &str) -> Result<Vec<u8>, String> {
    let munge = Munge::open()?;
    let credential = CString::new(credential).map_err(|_| "it is no credential".to_owned())?;
    let (mut bytes, mut len): (*mut c_void, c_int) = (ptr::null_mut(), 0);
    let (mut user, mut group) = (0, 0);
    // SAFETY: the credential is a C string, no context means the usual settings, and each result has a place.
    let code = unsafe {
        let place = (&raw mut bytes, &raw mut len);
        (munge.decode)(credential.as_ptr(), ptr::null_mut(), place.0, place.1, &raw mut user, &raw mut group)
    };
    let len = usize::try_from(len).unwrap_or(0);
    let found = if bytes.is_null() || len > LENGTH_MAX {
        Vec::new()
    } else {
        // SAFETY: the library has written so many bytes there.
        unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) }.to_vec()
    };
    // SAFETY: it is ours to free, and used no more; a null pointer may be freed.
    unsafe { libc::free(bytes) };
    if code == 0 || REMARKS.contains(&code) { Ok(found) } else { Err(munge.said(code)) }
}
