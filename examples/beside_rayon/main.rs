//! The same loop three times: as an iterator, with rayon in threads, and with loky in processes. What changes is one word.
//!
//! It counts the words of text files: `cargo run --release --example beside_rayon [FOLDER]`, where the folder is this one
//! if none is named. Threads are the better choice for that; the last lines say what the processes cost, and buy.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use loky::prelude::*;
use rayon::prelude::*;

type Words = BTreeMap<String, u64>;

#[loky::task]
fn count_words(path: &Path) -> Result<Words, String> {
    let text = fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut words = Words::new();
    let text = String::from_utf8_lossy(&text).to_lowercase();
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 3) {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    Ok(words)
}

loky::main! {
    fn main() -> Result<(), Box<dyn Error>> {
        let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
        let files = text_files(Path::new(&folder));
        println!("{} text files, {} processors", files.len(), loky::cpu_count());

        // As when a program has run for a while: threads and workers are started, and the kernel has the files at hand.
        rayon::broadcast(|_| ());
        loky::pool().warm_up();
        files.iter().for_each(|path| _ = fs::read(path));

        let one_by_one = timed("one by one", || files.iter().map(|path| count_words(path)).collect())?;
        let in_threads = timed("rayon", || files.par_iter().map(|path| count_words(path)).collect())?;
        let in_processes = timed("loky", || {
            let counted = files.iter().par_map(count_words);
            counted.map(|words| words.unwrap_or_else(|died| Err(died.to_string()))).collect()
        })?;

        assert!(one_by_one == in_threads && one_by_one == in_processes, "the same words, wherever they are counted");
        let mut words: Vec<_> = in_processes.iter().collect();
        words.sort_by_key(|&(word, count)| (std::cmp::Reverse(count), word));
        let most: Vec<_> = words.iter().take(5).map(|(word, count)| format!("{word} ({count})")).collect();
        println!("{} different words; most often: {}", words.len(), most.join(", "));
        println!("A file that made the function abort would have ended the program in the first two cases.");
        Ok(())
    }
}

fn timed(how: &str, count: impl FnOnce() -> Result<Vec<Words>, String>) -> Result<Words, String> {
    let begin = Instant::now();
    let counted = count()?;
    println!("{how:12} {:7.1} ms", begin.elapsed().as_secs_f64() * 1e3);
    let mut all = Words::new();
    for (word, count) in counted.into_iter().flatten() {
        *all.entry(word).or_default() += count;
    }
    Ok(all)
}

fn text_files(folder: &Path) -> Vec<PathBuf> {
    let is_text =
        |path: &Path| path.extension().is_some_and(|end| ["md", "rs", "toml", "txt"].iter().any(|&it| end == it));
    let is_built = |name: &std::ffi::OsStr| name == "target" || name == ".git";
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let entries = walk.filter_entry(move |entry| !is_built(entry.file_name())).flatten();
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.into_path())
        .filter(|path| is_text(path))
        .collect()
}
