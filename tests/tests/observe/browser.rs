//! The page in a real browser, without a screen: its script runs through, and shows the numbers.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use loky_tests::{Case, Gate, cases, scratch};

use crate::programs::{CALLS, run, showing, shown};

pub(crate) const CASES: &[Case] = cases![
    browser_01_the_page_shows_its_numbers_and_no_error: 120,
    browser_02_a_page_of_many_calls_is_shown_as_well: 120,
    browser_03_a_page_without_pools_says_so: 120,
];

/// Debian's name first.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What the browser has made of the page, and what it has said; `None` if there is no browser.
fn shown_by_browser(page: &Path) -> Option<(String, String)> {
    let is_there =
        |name: &&&str| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let Some(name) = BROWSERS.iter().find(is_there) else {
        println!("SKIPPED: there is no chromium on this machine, so no page was shown");
        return None;
    };
    // Its sockets have paths of a limited length, which that of a case would exceed.
    let home = tempfile::Builder::new().prefix("loky-").tempdir_in("/tmp").expect("a folder");
    let mut browser = Command::new(name);
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    browser.args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0", "--dump-dom"]);
    browser
        .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
        .arg(format!("file://{}", page.display()));
    browser.env("TMPDIR", home.path()).env("HOME", home.path()).stdin(Stdio::null());
    let output = browser.output().expect("it is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

/// The elements that the page's script has made.
#[track_caller]
fn body_of(page: &Path) -> Option<String> {
    let (dom, said) = shown_by_browser(page)?;
    let faults: Vec<_> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(dom.contains(r#"data-done="yes""#), "its script came to its end: {dom}\n{said}");
    let (_, rest) = dom.split_once("<main>").expect("it has a middle");
    Some(rest.split_once("</main>").expect("which ends").0.to_string())
}

fn browser_01_the_page_shows_its_numbers_and_no_error() {
    let _tries = Gate::new("tries");
    let page = shown("mixed", "LOKY_REPORT", "run.html");
    let Some(body) = body_of(&page) else { return };
    let parts = [
        &format!("<b>{CALLS}</b>"),
        r#"<b class="bad">4</b>"#,
        "Pool “mixed &lt;pool&gt;”",
        "tasks::square",
        "survive_from",
        "2 crash, 1 timeout, 1 cancelled",
        "the last words &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &amp; \"more\"",
        "&lt;b&gt;it&lt;/b&gt;",
        "<canvas",
    ];
    for part in parts {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("<img") && body.matches("<details").count() == 4);
    let lanes = crate::report::data(&page)["pools"][0]["lanes"].as_array().map_or(0, Vec::len);
    assert!((0..lanes).all(|index| body.contains(&format!(">worker {index}<"))), "{body}");
}

fn browser_02_a_page_of_many_calls_is_shown_as_well() {
    let page = shown("many", "LOKY_REPORT", "run.html");
    let Some(body) = body_of(&page) else { return };
    assert!(body.contains("<b>8,000</b>") && body.contains("too many calls to show each"), "{body}");
    assert!(fs::metadata(page).is_ok_and(|page| page.len() < 300_000), "and is not large");
}

fn browser_03_a_page_without_pools_says_so() {
    Gate::new("gate").open();
    let path = scratch().join("killed.html");
    run(&mut showing("aborts", "LOKY_REPORT", &path));
    let Some((dom, _)) = shown_by_browser(&path) else { return };
    assert!(dom.contains("There is nothing to show yet"), "{dom}");
}
