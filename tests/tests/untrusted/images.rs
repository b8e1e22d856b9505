//! What is sent: good images of all formats, with what is to be said of them, and hostile ones, with what must be.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use loky_tests::Random;
use serde_json::{Value, json};

/// Something to send, and what has to come back.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What has to come back.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Summary(Value),
    /// A status, a kind, and the signal of which the worker died.
    Failure(u16, &'static str, Option<i32>),
}

/// So many images of random size and content, of each format.
pub(crate) fn good(random: &mut Random, count: usize) -> Vec<Sample> {
    (0..count).flat_map(|_| [png(random), jpeg(random), rle(random)]).collect()
}

/// One of each kind.
pub(crate) fn hostile(random: &mut Random) -> Vec<Sample> {
    let cut = |sample: Sample, name| {
        let bytes = sample.bytes[..sample.bytes.len() / 2].to_vec();
        failure(name, bytes, (400, "bad_image", None))
    };
    vec![
        failure("crash", encoded_rle(1 << 16, 1 << 16, &[(1, [1, 2, 3])]), (422, "crash", Some(nix::libc::SIGSEGV))),
        failure("hang", encoded_rle(8, 8, &[(0, [1, 2, 3]), (0, [4, 5, 6])]), (504, "timeout", None)),
        failure("memory", encoded_rle(20_000, 13_000, &[(255, [1, 2, 3])]), (413, "memory_limit", None)),
        cut(png(random), "half a png"),
        cut(rle(random), "half of a run-length image"),
    ]
}

fn failure(name: &'static str, bytes: Vec<u8>, (status, kind, signal): (u16, &'static str, Option<i32>)) -> Sample {
    Sample { name, bytes, expected: Expected::Failure(status, kind, signal) }
}

fn png(random: &mut Random) -> Sample {
    let image = painted(random);
    let bytes = encoded(&image, ImageFormat::Png);
    Sample { name: "png", bytes, expected: summary(&image) }
}

/// It loses something, so what is to be said is what another decoding of it says.
fn jpeg(random: &mut Random) -> Sample {
    let bytes = encoded(&painted(random), ImageFormat::Jpeg);
    let image = image::load_from_memory(&bytes).expect("it was just made").into_rgb8();
    Sample { name: "jpeg", bytes, expected: summary(&image) }
}

fn rle(random: &mut Random) -> Sample {
    let (width, height) = size(random);
    let runs: Vec<_> = (0..random.below(20) + 1).map(|_| (byte(random).max(1), color(random))).collect();
    let pixels = runs.iter().flat_map(|&(len, color)| std::iter::repeat_n(color, usize::from(len)));
    let pixels: Vec<u8> = pixels.cycle().take((width * height) as usize).flatten().collect();
    let image = RgbImage::from_raw(width, height, pixels).expect("as many pixels as it has");
    Sample { name: "rle", bytes: encoded_rle(width, height, &runs), expected: summary(&image) }
}

fn size(random: &mut Random) -> (u32, u32) {
    (random.below(60) as u32 + 4, random.below(60) as u32 + 4)
}

fn byte(random: &mut Random) -> u8 {
    random.below(256) as u8
}

fn color(random: &mut Random) -> [u8; 3] {
    [byte(random), byte(random), byte(random)]
}

/// A gradient between random colors.
fn painted(random: &mut Random) -> RgbImage {
    let ((width, height), [from, to]) = (size(random), [color(random), color(random)]);
    RgbImage::from_fn(width, height, |x, y| {
        let part = f64::from(x * height + y * width) / f64::from(2 * width * height);
        let mix = |at: usize| f64::from(from[at]) * (1.0 - part) + f64::from(to[at]) * part;
        image::Rgb([0, 1, 2].map(|at| mix(at) as u8))
    })
}

fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image.clone()).write_to(&mut bytes, format).expect("memory can be written to");
    bytes.into_inner()
}

fn encoded_rle(width: u32, height: u32, runs: &[(u8, [u8; 3])]) -> Vec<u8> {
    let mut bytes = b"RLE1".to_vec();
    for number in [width, height, runs.len() as u32] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(runs.iter().flat_map(|&(len, [red, green, blue])| [len, red, green, blue]));
    bytes
}

fn summary(image: &RgbImage) -> Expected {
    let count = u64::from(image.width()) * u64::from(image.height());
    let mean = [0, 1, 2].map(|at| {
        let sum: u64 = image.pixels().map(|pixel| u64::from(pixel.0[at])).sum();
        (sum + count / 2) / count
    });
    Expected::Summary(json!({ "width": image.width(), "height": image.height(), "mean": mean }))
}
