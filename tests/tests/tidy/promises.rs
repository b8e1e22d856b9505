//! Holds `docs/reliability.md` to the tests: in each table whose last column is "held by", each row names tests, and
//! all of them exist. It does not know what is promised.

use std::collections::BTreeSet;

const HELD_BY: &str = "held by";

pub(crate) fn complaints(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let (mut is_inside, mut rows) = (false, 0);
    for (number, line) in (1..).zip(page.lines()) {
        let Some(cells) = line.strip_prefix('|') else {
            is_inside = false;
            continue;
        };
        let last = cells.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
        if last == HELD_BY {
            is_inside = true;
        } else if is_inside && !last.starts_with("--") {
            rows += 1;
            found.extend(wrong(last, tests).into_iter().map(|what| format!("line {number}: {what}")));
        }
    }
    if rows == 0 {
        found.push(format!("there is no table with a column \"{HELD_BY}\""));
    }
    found
}

fn wrong(cell: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        return vec!["no test is named".to_owned()];
    }
    let unknown = names.into_iter().filter(|name| !tests.contains(*name));
    unknown.map(|name| format!("there is no test `{name}`")).collect()
}

mod tests {
    use super::complaints;

    fn complained(rows: &str) -> String {
        let tests = ["a_is_so", "b_is_so"].map(str::to_owned).into();
        let page = format!(
            "# Page\n\n| other | table |\n|---|---|\n| a | `unknown` |\n\n| what | held by |\n|---|---|\n{rows}"
        );
        complaints(&page, &tests).join("; ")
    }

    #[test]
    fn tests_that_exist_are_good() {
        assert_eq!(complained("| a | `a_is_so`, and `b_is_so` |\n| b | `b_is_so` |\n"), "");
    }

    #[test]
    fn a_promise_without_a_test_is_seen() {
        assert_eq!(complained("| a | `a_is_so` |\n| b | surely |\n"), "line 10: no test is named");
        assert_eq!(complained("| a | `a_is_so`, `gone` |\n"), "line 9: there is no test `gone`");
    }

    #[test]
    fn a_page_without_promises_is_seen() {
        assert!(complained("").contains("there is no table"));
    }
}
