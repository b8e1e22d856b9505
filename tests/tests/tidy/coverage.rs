//! Holds `tests/COVERAGE.md` to the tests: whoever reads there that a scenario is tested finds that test, and no
//! scenario of a group is left out. It does not know what the tests do.
//!
//! A group is a heading, a sentence that begins with the number of its scenarios, and a table. Whose number is beyond
//! that one is a test of the house's own, which needs no row.

use std::collections::{BTreeMap, BTreeSet};

/// A group of scenarios as the page has it.
struct Group {
    name: String,
    count: Option<u32>,
    rows: Vec<Row>,
}

/// One scenario.
struct Row {
    id: String,
    line: usize,
    held_by: String,
}

impl Row {
    /// What stands in backquotes and looks like the name of a test, or must be one.
    fn names(&self) -> Vec<&str> {
        let quoted = self.held_by.split('`').skip(1).step_by(2);
        quoted.filter(|name| !self.is_excuse() || number_of(name).is_some()).collect()
    }

    fn is_excuse(&self) -> bool {
        self.held_by.starts_with('—')
    }

    /// Neither a test nor a reason why there is none.
    fn is_empty(&self) -> bool {
        let words = self.held_by.trim_start_matches('—').trim();
        if self.is_excuse() { words.len() < 10 } else { self.names().is_empty() }
    }
}

/// Everything in which the page and the tests disagree. `sources` are paths with their texts.
pub(crate) fn complaints(page: &str, sources: &[(String, String)]) -> Vec<String> {
    let (groups, tests) = (groups(page), tests(sources));
    let mut found = Vec::new();
    for group in &groups {
        found.extend(gaps(group));
        found.extend(group.rows.iter().flat_map(|row| wrong(row, &tests)));
        found.extend(unsaid(group, &tests));
    }
    found
}

/// A group's rows are numbered from 1 to the number that its first sentence says.
fn gaps(group: &Group) -> Vec<String> {
    let Some(count) = group.count else { return vec![format!("{}: the first sentence says no number", group.name)] };
    let expected = (1..=count).map(|number| format!("{}-{number}", group.name));
    let is = |row: Option<&Row>, id: &String| row.is_some_and(|row| row.id == *id);
    let wrong = expected.enumerate().find(|(at, id)| !is(group.rows.get(*at), id));
    let missing = wrong.map(|(_, id)| format!("{id} is not where it should be"));
    let beyond = group.rows.get(count as usize).map(|row| format!("{} is more than the {count} of its group", row.id));
    missing.into_iter().chain(beyond).collect()
}

fn wrong(row: &Row, tests: &BTreeSet<String>) -> Vec<String> {
    let Row { id, line, .. } = row;
    let unknown = row.names().into_iter().filter(|name| !tests.contains(*name));
    let mut found: Vec<_> = unknown.map(|name| format!("line {line}: {id}: there is no test `{name}`")).collect();
    if row.is_empty() {
        found.push(format!("line {line}: {id}: neither a test nor a reason"));
    }
    found
}

/// Tests that carry the number of a scenario of which the page says that there is none, or says nothing.
fn unsaid(group: &Group, tests: &BTreeSet<String>) -> Vec<String> {
    let said: BTreeMap<&str, &Row> = group.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut found = Vec::new();
    for (test, number) in tests.iter().filter_map(|test| Some((test, number_of(test)?))) {
        let (is_of_group, is_beyond) = (number.0 == group.name, number.1 == 0 || Some(number.1) > group.count);
        if is_of_group && !is_beyond {
            let id = format!("{}-{}", number.0, number.1);
            match said.get(id.as_str()) {
                None => found.push(format!("`{test}` has no row {id}")),
                Some(row) if row.names().is_empty() => found.push(format!("`{test}` exists, and {id} says no test")),
                Some(_) => {}
            }
        }
    }
    found
}

/// `parent_death_03_…` is PARENT-DEATH, 3.
fn number_of(test: &str) -> Option<(String, u32)> {
    let parts: Vec<&str> = test.split('_').collect();
    let at = parts.iter().position(|part| part.starts_with(|first: char| first.is_ascii_digit()))?;
    let group = parts[..at].join("-").to_ascii_uppercase();
    (at > 0 && at + 1 < parts.len()).then_some((group, parts[at].parse().ok()?))
}

fn groups(page: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (number, line) in page.lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            groups.push(Group { name: name.trim().to_owned(), count: None, rows: Vec::new() });
        }
        let Some(group) = groups.last_mut() else { continue };
        if line.starts_with(|first: char| first.is_ascii_digit()) && group.count.is_none() && group.rows.is_empty() {
            group.count = line.split(' ').next().and_then(|count| count.parse().ok());
        }
        group.rows.extend(row(line, number + 1));
    }
    groups
}

/// A line of a table, unless it is its head. A bar within a cell has a backslash before it.
fn row(text: &str, line: usize) -> Option<Row> {
    let cells = text.strip_prefix('|')?.replace("\\|", "/");
    let cells: Vec<&str> = cells.trim_end().trim_end_matches('|').split('|').map(str::trim).collect();
    let id = cells[0];
    let is_row = id.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u32>().is_ok());
    is_row.then(|| Row { id: id.to_owned(), line, held_by: cells.get(2).map_or("", |cell| *cell).to_owned() })
}

/// The names of all tests: those with the attribute, and those that a list of cases has.
pub(crate) fn tests(sources: &[(String, String)]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, text) in sources.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let marked = text.split("#[test]").skip(1);
        found.extend(marked.filter_map(|rest| Some(rest.split_once("fn ")?.1.split_once('(')?.0.to_owned())));
        if path.starts_with("tests/tests/") {
            let lists = text.split("cases![").skip(1).filter_map(|rest| rest.split_once(']'));
            let entries = lists.flat_map(|(list, _)| list.split(','));
            let names = entries.filter_map(|entry| entry.split(':').next()).map(|name| name.trim().to_owned());
            found.extend(names.filter(|name| text.contains(&format!("fn {name}()"))));
        }
    }
    found
}

mod tests {
    use super::complaints;

    const SOURCE: &str = "const CASES: &[Case] = cases![\n    alpha_01_begins,\n    alpha_02_ends: 20,\n];\n\
                          fn alpha_01_begins() {}\nfn alpha_02_ends() {}\nfn alpha_04_is_not_listed() {}\n\
                          #[test]\nfn beta_gamma_1_is_marked() {}\n#[test]\nfn alpha_09_is_our_own() {}\n";

    fn complained(page: &str) -> String {
        complaints(page, &[("tests/tests/a.rs".to_owned(), SOURCE.to_owned())]).join("; ")
    }

    fn page(rows: &str) -> String {
        format!("# Page\n\n## ALPHA\n\n3 scenarios.\n\n| ID | what happens | held by |\n|---|---|---|\n{rows}")
    }

    const FIRST: &str =
        "| ALPHA-1 | a \\| b | `alpha_01_begins` |\n| ALPHA-2 | b | `alpha_02_ends`, `alpha_01_begins` |\n";

    #[test]
    fn a_page_that_says_all_is_good() {
        let excuse = "| ALPHA-3 | c | — there is no such thing here |\n";
        assert_eq!(complained(&page(&format!("{FIRST}{excuse}"))), "");
        let other = "\n## BETA-GAMMA\n\n1 scenario.\n\n| BETA-GAMMA-1 | d | `beta_gamma_1_is_marked` |\n";
        assert_eq!(complained(&page(&format!("{FIRST}{excuse}{other}"))), "");
    }

    #[test]
    fn a_test_that_is_not_there_is_seen() {
        let gone = complained(&page(&format!("{FIRST}| ALPHA-3 | c | `alpha_03_gone` |\n")));
        assert!(gone.contains("line 11: ALPHA-3: there is no test `alpha_03_gone`"), "{gone}");
        let unlisted = complained(&page(&format!("{FIRST}| ALPHA-3 | c | `alpha_04_is_not_listed` |\n")));
        assert!(unlisted.contains("no test `alpha_04_is_not_listed`"), "{unlisted}");
        let excused = complained(&page(&format!("{FIRST}| ALPHA-3 | c | — as in `alpha_03_gone`, for a reason |\n")));
        assert!(excused.contains("no test `alpha_03_gone`"), "{excused}");
    }

    #[test]
    fn a_gap_is_seen() {
        assert!(complained(&page(FIRST)).contains("ALPHA-3 is not where it should be"));
        let swapped = complained(&page(&FIRST.lines().rev().map(|line| format!("{line}\n")).collect::<String>()));
        assert!(swapped.contains("ALPHA-1 is not where it should be"), "{swapped}");
        let three = "| ALPHA-3 | c | — not to be had here |\n";
        let more = complained(&page(&format!("{FIRST}{three}{}", three.replace('3', "4"))));
        assert!(more.contains("ALPHA-4 is more than the 3"), "{more}");
        let uncounted = complained(&page(FIRST).replace("3 scenarios", "Some scenarios"));
        assert!(uncounted.contains("ALPHA: the first sentence says no number"), "{uncounted}");
    }

    #[test]
    fn a_row_that_says_nothing_is_seen() {
        for nothing in ["", "—", "— n/a", "somehow", "`Duration`"] {
            let found = complained(&page(&format!("{FIRST}| ALPHA-3 | c | {nothing} |\n")));
            assert!(found.contains("line 11: ALPHA-3"), "{nothing:?}: {found}");
        }
    }

    #[test]
    fn a_test_without_a_row_is_seen() {
        let found = complained(&page("| ALPHA-1 | a | `alpha_01_begins` |\n"));
        assert!(found.contains("`alpha_02_ends` has no row ALPHA-2"), "{found}");
        let excused = complained(&page(&FIRST.replace("`alpha_02_ends`, `alpha_01_begins`", "— nobody can test that")));
        assert!(excused.contains("`alpha_02_ends` exists, and ALPHA-2 says no test"), "{excused}");
    }
}
