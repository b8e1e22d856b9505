//! Files that really kill a parser, generated into a temporary folder which is gone when the value is dropped.
//!
//! All of them are valid Rust. None is a trick played on this program: syn parses by recursive descent, as nearly every
//! hand-written parser does, and a service that parses what strangers send will meet such input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How deep the nested ones are. With 8 MiB of stack syn ends at about 3,000 parentheses, 1,500 generic types or
/// 11,000 references in a pattern (measured with `--release`).
const DEPTH: usize = 100_000;

/// syn keeps the decimal digits of a literal, and multiplies all of them by ten for each that follows: the time grows
/// with the square of the length. Measured: 0.22 s for 10,000 digits, 0.88 s for 20,000, 3.5 s for 40,000, and
/// 211 s for this many, in a file of 300 kB.
const DIGITS: usize = 300_000;

/// The generated files, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Hostile {
    /// Kept for its `Drop`.
    _temporary: TempDir,
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Hostile {
    pub(crate) fn generate() -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("loky-census-").tempdir()?;
        let folder = temporary.path().join("hostile");
        fs::create_dir(&folder)?;
        let mut files = Vec::new();
        for (name, text) in texts() {
            let path = folder.join(name);
            fs::write(&path, text)?;
            files.push(path);
        }
        Ok(Self { _temporary: temporary, folder, files })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

fn texts() -> [(&'static str, String); 4] {
    [
        // The slow one first: by the time it meets its limit, much of the rest is done.
        ("long_number.rs", format!("const N: u64 = {};\n", "7".repeat(DIGITS))),
        ("deep_expression.rs", format!("const N: u64 = {};\n", nested("(", "1", ")"))),
        ("deep_type.rs", format!("type T = {};\n", nested("Box<", "u8", ">"))),
        ("deep_pattern.rs", format!("fn f(x: X) {{\n    let {} = x;\n}}\n", nested("&", "a", ""))),
    ]
}

fn nested(open: &str, core: &str, close: &str) -> String {
    format!("{}{core}{}", open.repeat(DEPTH), close.repeat(DEPTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_go_with_the_value() {
        let hostile = Hostile::generate().expect("a temporary folder");
        let folder = hostile.folder().to_owned();
        assert!(hostile.files().iter().all(|file| file.starts_with(&folder) && file.is_file()));
        drop(hostile);
        assert!(!folder.exists());
    }
}
