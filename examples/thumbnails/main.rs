//! Thumbnails of all images in a folder: decoders read what strangers have made, and what they cannot stand costs one row.
//!
//! `cargo run --release --example thumbnails [FOLDER [INTO]]` reads every PNG and JPEG below a folder (`/usr/share` if none is
//! named), and writes the thumbnails into another one (one for temporary files, which goes away at the end). The one
//! `par_map` is in [`shrink_all`]; each worker may take some memory, and each image some time.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use image::{ImageReader, Limits};
use loky::Pool;
use loky::prelude::*;
use walkdir::WalkDir;

/// Of the longer side.
const PIXELS: u32 = 128;
const TIME_LIMIT: Duration = Duration::from_secs(5);
const MEMORY_LIMIT: u64 = 1 << 30;

/// Returns the size of the image that it was.
#[loky::task]
fn shrink(from: &Path, to: &Path) -> Result<(u32, u32), String> {
    let of_file = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut reader = ImageReader::open(from).map_err(|why| of_file(from, &why))?;
    reader = reader.with_guessed_format().map_err(|why| of_file(from, &why))?;
    reader.limits(Limits::no_limits()); // Ours hold for decoders, too, that have none.
    let image = reader.decode().map_err(|why| of_file(from, &why))?;
    let small = image.thumbnail(PIXELS, PIXELS).into_rgba8();
    small.save(to).map_err(|why| of_file(to, &why))?;
    Ok((image.width(), image.height()))
}

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        let mut arguments = env::args_os().skip(1).map(PathBuf::from);
        let from = arguments.next().unwrap_or_else(|| "/usr/share".into());
        let temporary = tempfile::tempdir()?;
        let into = arguments.next().unwrap_or_else(|| temporary.path().into());
        fs::create_dir_all(&into)?;

        let images = images_in(&from);
        let begin = Instant::now();
        let (done, pixels) = shrink_all(&images, &into)?;
        let took = begin.elapsed().as_secs_f64();
        let rate = pixels as f64 / 1e6 / took;
        println!("{done} of {} images in {took:.1} s, {rate:.1} million pixels a second", images.len());
        println!("the thumbnails are in {}{}", into.display(), if into == temporary.path() { ", until now" } else { "" });
        Ok(())
    }
}

/// How many images there are now, and how many pixels they had. The others are told on the way.
fn shrink_all(images: &[PathBuf], into: &Path) -> Result<(usize, u64), loky::Error> {
    let pool = Pool::builder().memory_limit(MEMORY_LIMIT).timeout(TIME_LIMIT).build()?;
    let names = (0..).map(|number| into.join(format!("{number:05}.png")));
    let (mut done, mut pixels) = (0, 0);
    for (index, shrunk) in images.iter().cloned().zip(names).par_map(shrink).on(&pool).unordered() {
        match shrunk {
            Ok(Ok((width, height))) => (done, pixels) = (done + 1, pixels + u64::from(width) * u64::from(height)),
            Ok(Err(why)) => println!("no image: {why}"),
            Err(why) => println!("{}: {why}", images[index].display()),
        }
    }
    pool.shutdown();
    Ok((done, pixels))
}

fn images_in(folder: &Path) -> Vec<PathBuf> {
    let files =
        WalkDir::new(folder).sort_by_file_name().into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let ends = |path: &Path| path.extension().and_then(|end| end.to_str()).map(str::to_lowercase);
    let is_image = |path: &PathBuf| matches!(ends(path).as_deref(), Some("png" | "jpg" | "jpeg"));
    files.map(|entry| entry.into_path()).filter(is_image).collect()
}
