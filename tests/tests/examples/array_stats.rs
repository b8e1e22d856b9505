//! The example `array_stats`: workers and threads find the same.

use std::fs;
use std::process::Output;

use loky_tests::{Case, cases, procfs, scratch};

use super::program;

pub(crate) const CASES: &[Case] = cases![
    array_stats_1_workers_and_threads_find_the_same: 600,
    array_stats_2_what_cannot_be_is_said: 600,
];

fn ran(arguments: &[&str]) -> Output {
    let mut command = program("array_stats");
    command.arg("--folder").arg(scratch()).args(["--workers", "2"]).args(arguments);
    command.output().expect("it starts")
}

fn said(arguments: &[&str]) -> String {
    let output = ran(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn array_stats_1_workers_and_threads_find_the_same() {
    let small = ["--size", "6", "--chunk", "1", "--rounds", "2"];
    let first = said(&small);
    assert!(first.contains("was written") && first.contains("round 2: threads "), "{first}");
    assert!(first.contains("the same to the bit; median ratio"), "{first}");
    let names = procfs::names_in(&scratch());
    let [name] = &names[..] else { panic!("one file: {names:?}") };
    let bytes = fs::read(scratch().join(name)).expect("it is kept");
    assert_eq!(bytes.len(), 6 << 20);
    let values: Vec<f64> =
        bytes.chunks_exact(8).map(|value| f64::from_ne_bytes(value.try_into().expect("eight"))).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(first.contains(&format!("{} values from {least:.4} to ", values.len())), "{first}");
    assert!(first.contains(&format!("mean {mean:.6}, ")), "{first}");
    let second = said(&[&small[..], &["--delete"]].concat());
    assert!(second.contains("is there") && second.contains("is deleted"), "{second}");
    assert!(procfs::names_in(&scratch()).is_empty());
    let found =
        |text: &str| text.lines().skip_while(|line| !line.contains(" values from ")).take(14).collect::<String>();
    assert_eq!(found(&first), found(&second), "however it was cut and run");
}

fn array_stats_2_what_cannot_be_is_said() {
    for arguments in [&["--size", "none"][..], &["--chunk", "0"], &["--nonsense"], &["--folder", "/no/such/folder"]] {
        let output = ran(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.starts_with("array_stats: ") && text.lines().count() == 1, "{text}");
    }
    assert!(said(&["--help"]).contains("--delete") && procfs::names_in(&scratch()).is_empty());
}
