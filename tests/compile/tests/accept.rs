//! What may look odd and is a task, or a closure, all the same: each program in `examples` must compile and run.
//!
//! Beside them, in `ui/refuse_at_build`, are mistakes that `cargo check` does not see: what is built at all is built.
//! The programs are whole ones, with a `main` of their own, since oddities are often those of a whole crate; what can
//! be told in a function is in the `tasks` of the tests that start processes. They are examples, because cargo then builds
//! them along with everything else, several at once. None leaves a warning.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn what_is_odd_is_accepted_and_runs() {
    let names = programs();
    assert!(names.len() > 30, "{names:?}");
    let folder = built(&names);
    for name in names {
        let said = Command::new(folder.join(&name)).stdin(Stdio::null()).output().expect("it was built");
        let err = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success() && err.is_empty(), "{name}: {}\n{err}", said.status);
    }
}

#[test]
fn none_leaves_a_warning() {
    for name in programs() {
        let text = std::fs::read_to_string(sources().join(&name).with_extension("rs")).expect("a program");
        assert!(text.lines().any(|line| line.starts_with("#![deny(")), "{name} does not deny warnings");
    }
}

/// What is evaluated when an instance of a generic function is made is not known before.
#[test]
fn what_only_a_build_can_refuse_is_refused() {
    let mistakes = [
        ("captured_closure", 6, "a closure that captures something, or a pointer to a function, cannot be captured by"),
        ("missed_capture", 5, "did not find everything that this closure captures: list it"),
    ];
    for (name, line, words) in mistakes {
        let mut cargo = cargo_builds(&[name.to_string()]);
        let said = cargo.args(["--features", "loky-compile-tests/mistakes"]).output().expect("cargo can be started");
        let err = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && err.contains(words), "{err}");
        assert!(err.contains(&format!("ui/refuse_at_build/{name}.rs:{line}:")), "it does not say where: {err}");
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn programs() -> Vec<String> {
    let files = std::fs::read_dir(sources()).expect("the folder of the programs");
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_string());
    let mut names: Vec<_> = files.filter_map(|file| name(file.ok()?.path())).collect();
    names.sort_unstable();
    names
}

/// Where they are, up to date.
fn built(names: &[String]) -> PathBuf {
    assert!(cargo_builds(names).status().expect("cargo can be started").success(), "cargo builds them");
    target().join(if cfg!(debug_assertions) { "debug" } else { "release" }).join("examples")
}

/// With the features of the whole workspace, so that nothing is built anew where that was built.
fn cargo_builds(names: &[String]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args(["build", "--quiet", "--locked", "--offline", "--workspace"]).stdin(Stdio::null());
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target()).env("CARGO_TERM_COLOR", "never");
    names.iter().for_each(|name| _ = cargo.args(["--example", name]));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder")
}
