//! The table of crashes: where it strikes × how × what the pool is doing → what the user reads. Each row is a test.
//!
//! The suite has the rows that show every pair of two of the three; `LOKY_TESTS_FULL=1` has all. The page
//! `docs/reliability.md` shows the table.

mod burden;
mod dimensions;
mod director;
mod page;
mod row;
mod scene;
mod surroundings;
mod table;

use std::process::ExitCode;

use loky_tests::Case;

loky::main! {
    fn main() -> ExitCode {
        loky_tests::run(&[row::CASES, page::CASES, &rows()], scene::PROGRAMS)
    }
}

/// A case for each row. Those that are not in the suite are found by their names only, unless all are wanted.
fn rows() -> Vec<Case> {
    let (suite, is_full) = (row::suite(), std::env::var_os("LOKY_TESTS_FULL").is_some());
    let case = |row: row::Row| {
        let case = Case::new(row.name().leak(), director::direct).limit(30);
        if is_full || suite.contains(&row) { case } else { case.unlisted() }
    };
    row::all().into_iter().map(case).collect()
}
