//! Plain lines where there is no terminal, and what is counted.

use loky::prelude::*;
use loky_tests::tasks::{add, square};
use loky_tests::{Case, Program, cases, pool_of, program, programs};

pub(crate) const CASES: &[Case] = cases![
    prog_01_progress_reaches_its_end_in_every_style,
    progress_11_elsewhere_it_is_plain_lines,
    progress_12_a_closed_stream_costs_nothing,
];

pub(crate) const PROGRAMS: &[Program] = programs![maps_in_all_styles, maps_without_a_stream];

fn maps_in_all_styles() {
    for zygote in [false, true] {
        let pool = loky::Pool::builder().workers(2).zygote(zygote).build().expect("a pool");
        (0..1000).par_map(square).on(&pool).progress("ordered").unwrap_all();
        assert_eq!((0..1000).par_map(square).on(&pool).progress("unordered").unordered().count(), 1000);
        assert_eq!((0..1000).par_map(square).on(&pool).unordered().progress("later").count(), 1000);
        let mut left = 1000;
        let unknown = std::iter::from_fn(|| (left > 0).then(|| left -= 1));
        unknown.map(|()| (1, 2)).par_map(add).on(&pool).progress("unknown").unwrap_all();
        (0..0).par_map(square).on(&pool).progress("empty").unwrap_all();
        pool.shutdown();
    }
}

/// What a program has written to its standard error.
fn lines_of(name: &str) -> Vec<String> {
    let output = program(name).output().expect("a program");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).expect("text").lines().map(ToOwned::to_owned).collect()
}

fn prog_01_progress_reaches_its_end_in_every_style() {
    let lines = lines_of("maps_in_all_styles");
    let ends = ["ordered: 1000 in ", "unordered: 1000 in ", "later: 1000 in ", "unknown: 1000 in ", "empty: 0 in "];
    assert_eq!(lines.len(), 2 * ends.len(), "{lines:?}");
    assert!(lines.iter().zip(ends.iter().cycle()).all(|(line, end)| line.starts_with(end)), "{lines:?}");
}

fn progress_11_elsewhere_it_is_plain_lines() {
    assert!(lines_of("maps_in_all_styles").iter().all(|line| !line.contains('\x1b') && !line.contains('\r')));
}

fn maps_without_a_stream() {
    loky_tests::sys::close(2);
    let pool = pool_of(1);
    (0..10).par_map(square).on(&pool).progress("nobody sees it").unwrap_all();
    pool.shutdown();
}

fn progress_12_a_closed_stream_costs_nothing() {
    assert!(lines_of("maps_without_a_stream").is_empty());
}
