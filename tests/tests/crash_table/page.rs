//! The table as `docs/reliability.md` shows it: made of the data, and compared with what stands there.

use std::fmt::Write as _;
use std::fs;

use loky_tests::{Case, cases};

use crate::dimensions::{Dimension, How, State};
use crate::table::{Reads, TABLE};

pub(crate) const CASES: &[Case] = cases![the_page_shows_the_table];

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reliability.md");
const BEGIN: &str =
    "<!-- crash table: written by `LOKY_TESTS_WRITE=1 cargo test -p loky-tests --test crash_table page` -->";
const END: &str = "<!-- end of crash table -->";

fn the_page_shows_the_table() {
    let page = fs::read_to_string(PAGE).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the comment above the table");
    let (_, after) = rest.split_once(END).expect("the comment below it");
    let expected = format!("{before}{BEGIN}\n\n{}\n{END}{after}", tables());
    if std::env::var_os("LOKY_TESTS_WRITE").is_some() {
        fs::write(PAGE, &expected).expect("the page can be written");
    }
    assert!(page == expected, "the page shows another table; `{BEGIN}` says how it is written");
}

fn tables() -> String {
    let mut out = String::from("| where it strikes | how | what is read |\n|---|---|---|\n");
    for (place, cells) in TABLE {
        let mut place = place.words();
        let cells: Vec<_> = How::ALL.iter().zip(cells).collect();
        for alike in cells.chunk_by(|a, b| a.1 == b.1) {
            let ways: Vec<_> = alike.iter().map(|(how, _)| how.words()).collect();
            writeln!(out, "| {place} | {} | {} |", ways.join(", "), in_words(alike[0].1)).expect("a string has room");
            place = "";
        }
    }
    out.push_str("\n| meanwhile | |\n|---|---|\n");
    for state in State::ALL {
        writeln!(out, "| {} | {} |", state.name().replace('_', " "), state.words()).expect("a string has room");
    }
    out
}

fn in_words(reads: Reads) -> String {
    match reads {
        Reads::Result => "the result, as if nothing had happened".to_owned(),
        Reads::OwnError => "the result, which is that error".to_owned(),
        Reads::Elsewhere => {
            "the result, in the first attempt and from another worker: the call had not begun".to_owned()
        }
        Reads::Told { kind, may_have_run, has_place } => {
            let code = if kind == loky::ErrorKind::Crash { ", code or signal" } else { "" };
            let has_run = if may_have_run { "may have run" } else { "did not run" };
            let place = if has_place { ", pid, attempt 1" } else { ", no pid, no attempt" };
            format!("`{kind:?}`{code}, {has_run}{place}")
        }
        Reads::Nothing => "nothing: no call is concerned".to_owned(),
        Reads::End => "the program itself ends so; its workers are gone within a second".to_owned(),
        Reads::CannotBe(why) => format!("— cannot be: {why}"),
    }
}
