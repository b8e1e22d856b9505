//! The C decoder behind a safe name: what a worker process makes of it.

#![expect(unsafe_code, reason = "the decoder is a C library, and cannot be trusted")]

use std::ffi::c_int;
use std::ptr::null_mut;

/// With what such a file begins.
pub(crate) const MAGIC: &[u8] = b"RLE1";

/// As `rle.c` has it.
#[repr(C)]
struct RawImage {
    width: u32,
    height: u32,
    pixels: *mut u8,
}

/// What has been decoded: three bytes for each pixel.
pub(crate) struct Image {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

unsafe extern "C" {
    fn rle_decode(data: *const u8, len: usize, image: *mut RawImage) -> c_int;
    fn rle_free(image: *mut RawImage);
}

/// Decodes a file, in a worker process: with some files this never returns, and with some the process dies.
///
/// # Panics
///
/// In any other process.
pub(crate) fn decode(bytes: &[u8]) -> Result<Image, String> {
    assert!(loky::is_worker(), "this decoder may take its process with it, so it runs in workers only");
    let mut raw = RawImage { width: 0, height: 0, pixels: null_mut() };
    // SAFETY: the pointers are valid for the length of the call, and nothing is kept of them. That the decoder writes to
    // its own memory alone nobody can promise: it does what the bytes say. This process is there to bear that. Whatever
    // it does to itself, it has no memory in common with others but the link, and what comes over that is checked.
    let code = unsafe { rle_decode(bytes.as_ptr(), bytes.len(), &raw mut raw) };
    match code {
        0 => {}
        1 => return Err("not in the run-length format".to_string()),
        _ => return Err("truncated: fewer runs than the header says".to_string()),
    }
    let len = raw.width as usize * raw.height as usize * 3;
    // SAFETY: the decoder has filled so many bytes from there on; if it had not been given them, it would have died.
    let pixels = unsafe { std::slice::from_raw_parts(raw.pixels, len) }.to_vec();
    // SAFETY: it is what the decoder has made, and given back once.
    unsafe { rle_free(&raw mut raw) };
    Ok(Image { width: raw.width, height: raw.height, pixels })
}
