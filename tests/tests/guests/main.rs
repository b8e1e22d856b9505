//! Packages of strangers, in a workspace of their own (`tests/guests`): cargo is run on them, and what a user would see
//! is looked at.
//!
//! All cases share one build, which cargo guards by a lock, so they wait for each other while it lasts.

mod lock;
mod within_c;

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use loky_tests::{Case, cases};

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[CASES, lock::CASES, within_c::CASES], &[])
    }
}

/// The first one builds everything.
const CASES: &[Case] = cases![
    guests_01_every_target_passes: 600,
    guests_02_one_test_at_a_time: 600,
    guests_03_a_failing_test_shows_what_its_workers_printed: 600,
    guests_04_without_capture_it_is_shown_at_once: 600,
    guests_05_whoever_receives_a_result_prints: 600,
    guests_06_a_crash_does_not_take_the_last_words: 600,
    guests_07_a_detached_call_prints_as_the_program: 600,
    guests_08_too_much_is_cut_and_counted: 600,
    guests_09_c_libraries_are_heard: 600,
    guests_10_one_process_per_test: 600,
    guests_11_nextest: 600,
    guests_12_a_program_without_the_feature_carries_nothing_of_it: 600,
    guests_14_an_older_edition_and_another_name: 600,
    guests_15_every_optimization_at_once: 600,
    exc_21_where_panics_abort_the_last_words_tell_why: 600,
    guests_16_two_versions_of_one_crate: 600,
    guests_17_two_tasks_of_one_name: 600,
    guests_18_async_tasks_within_tokio: 600,
    guests_19_two_tasks_of_one_name_in_a_test: 600,
    guests_20_pools_tell_a_recorder_what_they_do: 600,
];

/// What cargo, or a program that it has built, has said.
struct Said {
    is_good: bool,
    out: String,
    err: String,
}

impl Said {
    fn by(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { is_good: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn good(self) -> Self {
        assert!(self.is_good, "it failed:\n{self}");
        self
    }

    #[track_caller]
    fn bad(self) -> Self {
        assert!(!self.is_good && self.out.contains("test result: FAILED"), "no test failed:\n{self}");
        self
    }

    /// What the harness shows under the name of a test that has failed.
    #[track_caller]
    fn section(&self, test: &str) -> &str {
        let (_, rest) = self.out.split_once(&format!("---- {test} stdout ----\n")).unwrap_or_else(|| panic!("{self}"));
        let ends = ["\n---- ", "\nfailures:\n"].into_iter().filter_map(|end| rest.find(end));
        &rest[..ends.min().unwrap_or(rest.len())]
    }

    fn count(&self, words: &str) -> usize {
        self.out.matches(words).count() + self.err.matches(words).count()
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.out, self.err)
    }
}

/// Cargo in the guests' workspace.
fn cargo(arguments: &[&str]) -> Said {
    Said::by(&mut cargo_into("guests", arguments))
}

/// The same with a target folder of this name, beside our own. Without the network, and without what the cargo above
/// has told this process.
fn cargo_into(target: &str, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut cargo = Command::new(program);
    forget_surroundings(&mut cargo);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(target);
    cargo.current_dir(guests()).env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never");
    cargo.env("CARGO_NET_OFFLINE", "true").args(locked(arguments)).stdin(Stdio::null());
    cargo
}

/// The same arguments with `--locked` among those that are cargo's.
fn locked<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let ours = arguments.iter().position(|argument| *argument == "--").unwrap_or(arguments.len());
    [&arguments[..ours], &["--locked"], &arguments[ours..]].concat()
}

/// Leaves what describes the machine and its user, and takes away what describes this test and its package.
fn forget_surroundings(command: &mut Command) {
    const OURS: [&str; 10] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
        "CARGO_BUILD_TARGET",
        "NEXTEST",
        "RUST_TEST_",
        "RUST_BACKTRACE",
        "LOKY_",
    ];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OURS.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}

/// Runs a test of `plain/tests/output.rs`, also one that is ignored unless it is named.
fn named(test: &str, more: &[&str]) -> Said {
    let arguments = ["test", "-p", "plain", "--test", "output", "--", "--exact", test, "--include-ignored"];
    cargo(&[&arguments, more].concat())
}

/// The binary that cargo has built for an integration test.
fn binary(test: &str) -> PathBuf {
    let said = cargo(&["test", "-p", "plain", "--test", test, "--no-run", "--message-format", "json"]).good();
    let line = said.out.lines().find(|line| line.contains(&format!("\"name\":\"{test}\"")));
    let path = line.and_then(|line| line.split_once("\"executable\":\"")?.1.split_once('"'));
    path.unwrap_or_else(|| panic!("no binary:\n{said}")).0.into()
}

fn guests_01_every_target_passes() {
    let said = cargo(&["test"]).good();
    for test in ["adds_in_another_process", "has_the_tasks_of_the_test", "prints_and_passes", "lib.rs - (line 9)"] {
        assert_eq!(said.out.lines().filter(|line| line.contains(test) && line.ends_with("ok")).count(), 1, "{said}");
    }
    assert_eq!(said.count("of-a-passing-test"), 0, "a test that passes shows nothing:\n{said}");
    assert_eq!(said.count("warning"), 0, "{said}");
    assert!(cargo(&["test", "--bench", "bench"]).good().out.contains("the benchmark adds"));
    assert!(cargo(&["run", "--example", "example"]).good().out.contains("the example adds"));
}

fn guests_02_one_test_at_a_time() {
    let said = cargo(&["test", "--tests", "--", "--test-threads=1"]).good();
    assert_eq!(said.count("of-a-passing-test"), 0, "{said}");
}

fn guests_03_a_failing_test_shows_what_its_workers_printed() {
    for threads in ["--test-threads=1", "--test-threads=4"] {
        let only = ["--include-ignored", threads, "prints_and"];
        let said = cargo(&[&["test", "-p", "plain", "--test", "output", "--"], &only[..]].concat()).bad();
        let section = said.section("prints_and_fails");
        assert!(section.contains("of-a-failing-test on output\n"), "{said}");
        assert!(section.contains("of-a-failing-test on error\n"), "{said}");
        assert_eq!(said.count("of-a-failing-test"), 2, "and nowhere else:\n{said}");
        assert_eq!(said.count("of-a-passing-test"), 0, "its neighbor passes:\n{said}");
    }
}

fn guests_04_without_capture_it_is_shown_at_once() {
    let said = named("prints_and_passes", &["--nocapture"]).good();
    assert!(said.out.contains("of-a-passing-test on output\n"), "{said}");
    assert!(said.err.contains("of-a-passing-test on error\n"), "{said}");
}

fn guests_05_whoever_receives_a_result_prints() {
    let test = "receives_in_every_way";
    let said = named(test, &[]).bad();
    let ways = ["by-join", "by-await", "by-par-map-1", "by-par-map-2", "unordered-1", "unordered-2", "by-join-all-1"];
    for way in ways.into_iter().chain(["by-join-all-2", "as-completed", "by-callback"]) {
        for stream in ["output", "error"] {
            assert_eq!(said.section(test).matches(&format!("{way} on {stream}\n")).count(), 1, "{way}:\n{said}");
        }
    }
}

fn guests_06_a_crash_does_not_take_the_last_words() {
    let test = "shows_what_came_before_a_crash";
    let said = named(test, &[]).bad();
    let section = said.section(test);
    assert!(section.contains("last-words on output\n") && section.contains("last-words on error\n"), "{said}");
    assert!(section.contains("was killed by SIGABRT"), "the test has failed for its own reason:\n{said}");
}

fn guests_07_a_detached_call_prints_as_the_program() {
    let said = named("detaches", &[]).good();
    assert_eq!(said.out.matches("of-a-detached-call on output\n").count(), 1, "{said}");
    assert_eq!(said.err.matches("of-a-detached-call on error\n").count(), 1, "{said}");
    assert_eq!(said.out.matches("of-an-unread-handle on output\n").count(), 1, "{said}");
}

fn guests_08_too_much_is_cut_and_counted() {
    let said = named("floods_and_fails", &[]).bad();
    let section = said.section("floods_and_fails");
    let lines = section.lines().filter(|line| line.len() == 99).map(|line| line.parse::<usize>().expect("a number"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines, (0..(1 << 20) / 100).collect::<Vec<_>>(), "a mebibyte, in order");
    let cut = 20_000 * 100 - (1 << 20);
    assert!(section.contains(&format!("the call has printed {cut} bytes more, which are not shown: ")), "{said}");
}

fn guests_09_c_libraries_are_heard() {
    let said = named("prints_from_c_and_fails", &[]).bad();
    assert!(said.section("prints_from_c_and_fails").contains("of-a-c-library\n"), "{said}");
}

/// What cargo-nextest does, which is not installed everywhere: it lists the tests, and gives each a process of its own,
/// whose streams must end with it.
fn guests_10_one_process_per_test() {
    let binary = binary("output");
    let listed = Said::by(Command::new(&binary).args(["--list", "--format", "terse"])).good();
    let tests: Vec<_> = listed.out.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert!(tests.contains(&"prints_and_passes") && tests.len() > 5, "{listed}");
    for test in tests {
        let mut process = Command::new(&binary)
            .args(["--exact", test, "--nocapture"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it has been built");
        let mut pipe = process.stdout.take().expect("it was asked for");
        let mut said = String::new();
        let reader = std::thread::spawn(move || pipe.read_to_string(&mut said).map(|_| (said, Instant::now())));
        assert!(process.wait().expect("it is ours").success(), "{test}");
        let ended = Instant::now();
        let (said, closed) = reader.join().expect("no panic").expect("text");
        assert!(said.contains("1 passed") || said.contains("1 ignored"), "{test}: {said}");
        let late = closed.saturating_duration_since(ended);
        assert!(late < Duration::from_millis(500), "{test}: somebody held the output for {late:?} longer");
    }
}

fn guests_11_nextest() {
    if !Command::new("cargo-nextest").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("cargo-nextest is not installed; what it does is imitated by another case");
        return;
    }
    let said = cargo(&["nextest", "run"]).good();
    assert!(said.err.contains("prints_and_passes") && !said.err.contains("LEAK"), "{said}");
    assert_eq!(said.count("of-a-passing-test"), 0, "{said}");
    let said = cargo(&["nextest", "run", "--run-ignored", "all", "prints_and_fails"]);
    assert!(!said.is_good && said.count("of-a-failing-test on output") == 1, "{said}");
}

fn guests_12_a_program_without_the_feature_carries_nothing_of_it() {
    // A folder of its own: the tests have the same program built with the feature.
    let said = Said::by(&mut cargo_into("guests-bare", &["run", "-p", "plain", "--bin", "program"])).good();
    assert_eq!(said.out, "sum 42\nprogram on output\n", "{said}");
    assert_eq!(symbols_in("guests-bare"), 0);
    cargo(&["test", "-p", "plain", "--test", "integration", "a_program_with_main"]).good();
    assert!(symbols_in("guests") > 0, "the search finds it where it is");
}

/// How often the name of the code that the feature adds stands in the program.
fn symbols_in(target: &str) -> usize {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(target).join("debug/program");
    let bytes = std::fs::read(program).expect("it has been built");
    bytes.windows(SYMBOL.len()).filter(|window| window == &SYMBOL).count()
}

const SYMBOL: &[u8] = b"before_main";

/// Cargo builds the guests without the network, so with what it has fetched for us.
fn guests_14_an_older_edition_and_another_name() {
    let said = cargo(&["run", "-p", "older"]).good();
    assert_eq!(said.out, "all forms ran\n");
}

/// An instance of a generic function is found by a mark in the program, which no linker may take for unused.
fn guests_15_every_optimization_at_once() {
    if let Some(said) = optimized(&[]) {
        assert_eq!(said.out, "all forms ran\n");
    }
}

fn exc_21_where_panics_abort_the_last_words_tell_why() {
    if let Some(said) = optimized(&["fails"]) {
        assert_eq!(said.out, "Crash, signal Some(6), last words: true\n");
    }
    let said = cargo(&["run", "-p", "older", "--", "fails"]).good();
    assert_eq!(said.out, "Panic, signal None, last words: false\n", "where they do not abort, the error tells");
}

/// What `older` says when it is built with every optimization, and so that panics abort. That takes long, so it is done
/// where the tests are optimized themselves.
fn optimized(arguments: &[&str]) -> Option<Said> {
    if cfg!(debug_assertions) {
        println!("SKIPPED: these tests are not optimized, so no guest is");
        return None;
    }
    let lto = ["--config", "profile.release.lto='fat'", "--config", "profile.release.codegen-units=1"];
    let strip = ["--config", "profile.release.strip=true", "--config", "profile.release.panic='abort'"];
    Some(cargo(&[&["run", "-p", "older", "--release"][..], &lto, &strip, &["--"], arguments].concat()).good())
}

fn guests_16_two_versions_of_one_crate() {
    let said = cargo(&["run", "-p", "twice"]).good();
    assert_eq!(said.out, "each version ran\n");
}

/// Found when the program starts, before anything runs under a wrong name.
fn guests_17_two_tasks_of_one_name() {
    let said = cargo(&["run", "-p", "twice", "--features", "clash"]);
    assert!(!said.is_good && !said.out.contains("ran"), "{said}");
    for word in ["`unused in version 2`", "twins/two/src/lib.rs:16", "twice/src/main.rs:8", "#[loky::task(name"] {
        assert!(said.err.contains(word), "{word}: {said}");
    }
}

fn guests_19_two_tasks_of_one_name_in_a_test() {
    cargo(&["test", "-p", "twice", "--features", "clash", "--test", "clash"]).good();
}

fn guests_20_pools_tell_a_recorder_what_they_do() {
    let said = cargo(&["run", "-p", "within_metrics"]).good();
    assert_eq!(said.out, "all was told\n");
}

fn guests_18_async_tasks_within_tokio() {
    let said = cargo(&["run", "-p", "within_tokio"]).good();
    assert_eq!(said.out, "all ran within tokio\n");
}
