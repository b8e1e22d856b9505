//! Runs what the fuzzers have kept, as any other test.

use std::fs;
use std::path::Path;

/// Each target with its corpus.
fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display())) {
        let path = entry.unwrap().path();
        let _named = Named(path.display().to_string());
        target(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
    for odd in [&[][..], &[0], &[255; 3], &[0; 500], &[255; 500]] {
        target(odd);
    }
}

/// Says which one broke the promise.
struct Named(String);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input is {}", self.0);
        }
    }
}

#[test]
fn the_corpus_of_frames_breaks_nothing() {
    run("frames", super::frames);
}

#[test]
fn the_corpus_of_messages_breaks_nothing() {
    run("messages", super::messages);
}

#[test]
fn the_corpus_of_values_breaks_nothing() {
    run("values", super::values);
}

#[test]
fn the_corpus_of_rings_breaks_nothing() {
    run("rings", super::rings);
}

#[test]
fn the_corpus_of_schedules_breaks_nothing() {
    run("schedules", super::schedules);
}

#[test]
fn the_corpus_of_links_breaks_nothing() {
    run("links", super::links);
}
