//! The examples, as whoever reads them would run them first, each on a small slice of what it is for. The census is run by
//! the README's command, `untrusted` has a test of its own, and `isolation` is a test.
//!
//! Cargo builds an example, unless it has built the whole workspace before; so the first case of each may take a while.

mod array_stats;
mod service;

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use loky_tests::{Case, cases, example, procfs, scratch};

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[CASES, array_stats::CASES, service::CASES], &[])
    }
}

const CASES: &[Case] = cases![
    example_hello: 600,
    example_beside_rayon: 600,
    example_crash: 600,
    example_limits: 600,
    example_thumbnails: 600,
    example_sweep: 600,
];

/// The example, up to date, without anything on its standard input.
fn program(name: &str) -> Command {
    let mut command = Command::new(example::built(name, env!("CARGO_TARGET_TMPDIR")));
    command.stdin(Stdio::null());
    command
}

/// What it has said, where it went well.
fn said(name: &str, arguments: &[&str]) -> String {
    let output = program(name).args(arguments).stderr(Stdio::inherit()).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn example_hello() {
    let said = said("hello", &[]);
    let numbers = |line: &str| line.rsplit_once(' ').map(|(_, pid)| pid.to_owned());
    let lines: Vec<_> = said.lines().collect();
    let [here, first, second, ..] = &lines[..] else { panic!("{said}") };
    assert_eq!(numbers(here), numbers(first), "a plain call runs here: {said}");
    assert_ne!(numbers(here), numbers(second), "and a spawned one elsewhere: {said}");
    assert_eq!(lines.last(), Some(&"[0, 11, 22, 33, 44]"));
}

fn example_beside_rayon() {
    for (name, text) in [("a.txt", "apple pear Apple"), ("b.md", "pear apple plum"), ("c.png", "grape grape grape")] {
        fs::write(scratch().join(name), text).expect("room for a file");
    }
    let said = said("beside_rayon", &[scratch().to_str().expect("text")]);
    assert!(said.starts_with("2 text files") && said.contains("3 different words; most often: apple (3), pear (2)"));
    assert!(
        ["one by one ", "rayon ", "loky "].iter().all(|how| said.lines().any(|line| line.starts_with(how))),
        "{said}"
    );
}

/// It ends well only if each error is of the kind that is announced.
fn example_crash() {
    let said = said("crash", &[]);
    let kinds =
        ["Panic", "Crash", "Timeout", "QueueTimeout", "Cancelled", "Shutdown", "MemoryLimit", "Encode", "Decode"];
    let rest = ["OutOfResources", "Launch", "Config", "Initializer", "Depth", "No error", "And process"];
    for kind in kinds.iter().chain(&rest) {
        assert!(said.lines().any(|line| line.starts_with(kind)), "no {kind} in {said}");
    }
}

fn example_limits() {
    let said = said("limits", &["18446743979220271189", "1000003", "91"]);
    let lines: Vec<_> = said.lines().collect();
    let [large, prime, small] = &lines[..] else { panic!("{said}") };
    assert!(large.contains("4294967279") && large.contains("4294967291"), "{said}");
    assert!(prime.starts_with("1000003: is prime, found by trial division"), "{said}");
    assert!(small.contains("7 × 13") || small.contains("13 × 7"), "{said}");
}

fn example_thumbnails() {
    let (from, into) = (scratch().join("from"), scratch().join("into"));
    fs::create_dir(&from).expect("room for a folder");
    for (name, width, height) in [("wide.png", 400, 100), ("high.jpg", 90, 300)] {
        image::RgbImage::from_pixel(width, height, image::Rgb([9, 99, 199])).save(from.join(name)).expect("an image");
    }
    fs::write(from.join("broken.png"), "no image at all").expect("room for a file");
    let said = said("thumbnails", &[&from, &into].map(|path| path.to_str().expect("text")));
    assert!(said.contains("2 of 3 images") && said.contains("no image: ") && said.contains("broken.png"), "{said}");
    let mut sizes: Vec<_> = procfs::names_in(&into)
        .iter()
        .map(|name| image::image_dimensions(into.join(name)).expect("an image"))
        .collect();
    sizes.sort();
    assert_eq!(sizes, [(38, 128), (128, 32)]);
}

fn example_sweep() {
    let output = program("sweep").args(["6", "40"]).output().expect("it starts");
    let [said, shown] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(
        output.status.success() && shown.lines().last().is_some_and(|line| line.starts_with("temperatures: 25 in "))
    );
    assert_eq!(said.lines().filter(|line| line.contains(" ± ")).count(), 25, "{said}");
    assert!(said.contains("200 runs of 40 steps"), "{said}");
}
