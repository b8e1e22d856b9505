//! The programs among the examples: built by cargo when a test wants one, unless the whole workspace was built before.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, up to date; with the features of the whole workspace, so that nothing is built anew where that was
/// built. `scratch` is what cargo calls `CARGO_TARGET_TMPDIR`, and tells tests alone.
pub fn built(name: &str, scratch: &str) -> PathBuf {
    let folder = Path::new(scratch).parent().expect("the target folder");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut cargo = Command::new(program);
    cargo.args(["build", "--quiet", "--locked", "--workspace", "--example", name]).stdin(Stdio::null());
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", folder);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo can be started").success(), "cargo builds it");
    folder.join(if cfg!(debug_assertions) { "debug" } else { "release" }).join("examples").join(name)
}
