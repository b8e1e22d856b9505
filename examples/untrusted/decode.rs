//! The task: what strangers have sent becomes a few numbers, or an error, or the end of a worker.

use image::ImageFormat;
use serde::{Deserialize, Serialize};

use crate::rle;

/// What is told of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Red, green, blue: the mean of all pixels, rounded.
    pub(crate) mean: [u8; 3],
}

/// Decodes an image; the error says what is wrong with it. Only so much leaves the worker, whatever the image is.
#[loky::task]
pub(crate) fn summarize(bytes: &[u8]) -> Result<Summary, String> {
    if bytes.starts_with(rle::MAGIC) {
        let image = rle::decode(bytes)?;
        return summary(image.width, image.height, &image.pixels);
    }
    let format = image::guess_format(bytes).map_err(|why| why.to_string())?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg) {
        return Err(format!("{format:?} is not decoded here"));
    }
    let image = image::load_from_memory_with_format(bytes, format).map_err(|why| why.to_string())?.into_rgb8();
    summary(image.width(), image.height(), image.as_raw())
}

/// Of pixels of three bytes each.
fn summary(width: u32, height: u32, pixels: &[u8]) -> Result<Summary, String> {
    let count = pixels.len() as u64 / 3;
    if count == 0 {
        return Err("an image without pixels".to_string());
    }
    let mut sums = [0_u64; 3];
    for pixel in pixels.chunks_exact(3) {
        sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
    }
    // A mean of bytes is a byte.
    Ok(Summary { width, height, mean: sums.map(|sum| ((sum + count / 2) / count) as u8) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_rounded() {
        let mean = |pixels: &[u8]| summary(1, 2, pixels).map(|summary| summary.mean);
        assert_eq!(mean(&[0, 10, 255, 1, 10, 255]), Ok([1, 10, 255]));
        assert_eq!(mean(&[0, 0, 0, 0, 0, 0, 1, 2, 3]), Ok([0, 1, 1]));
        assert!(mean(&[]).is_err());
    }

    #[test]
    fn what_is_no_image_is_an_error() {
        assert!(summarize(b"").is_err());
        assert!(summarize(b"plain text").is_err());
        assert!(summarize(b"\x89PNG\r\n\x1a\n").is_err());
        assert!(summarize(b"GIF89a").is_err_and(|why| why.contains("Gif")));
    }
}
