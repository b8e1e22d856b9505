//! Where the pages lead: each link within the repository to something that is there, and each page with code to somebody
//! who compiles it.

use std::collections::BTreeSet;

/// Links of a page to files that are not there, or to headings that no page has. `files` are all files, by their paths.
pub(crate) fn broken(path: &str, page: &str, files: &BTreeSet<String>, read: &dyn Fn(&str) -> String) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (number, target) in links(page) {
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let file = if file.is_empty() { path.to_owned() } else { joined(folder, file) };
        let is_folder = files.iter().any(|other| other.strip_prefix(&file).is_some_and(|rest| rest.starts_with('/')));
        let is_there = files.contains(&file) || is_folder;
        if !is_there || !anchor.is_empty() && !anchors(&read(&file)).contains(anchor) {
            found.push(format!("{path}:{number}: `{target}` leads nowhere"));
        }
    }
    found
}

/// Pages below `docs` whose code the library's doctests do not include.
pub(crate) fn uncompiled(path: &str, page: &str, front_door: &str) -> Vec<String> {
    let kinds = page.lines().filter_map(|line| line.strip_prefix("```rust"));
    let kinds: Vec<_> = kinds.collect();
    let ignored = kinds.iter().any(|kind| kind.contains("ignore")).then(|| format!("{path}: has code that is ignored"));
    let is_included = front_door.contains(&format!("{path}\")"));
    let left_out =
        (!kinds.is_empty() && !is_included).then(|| format!("{path}: has code, and lib.rs does not include it"));
    ignored.into_iter().chain(left_out).collect()
}

/// Targets within the repository, with their lines; not those in blocks of code.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text_lines(page) {
        let inline =
            line.match_indices("](").map(|(at, _)| line[at + 2..].split([')', ' ']).next().unwrap_or_default());
        let below = line.strip_prefix('[').and_then(|line| Some(line.split_once("]: ")?.1));
        let targets = inline.chain(below).filter(|target| !target.contains("://"));
        found.extend(targets.map(|target| (number, target.to_owned())));
    }
    found
}

/// Headings as they are linked to.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = text_lines(page).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| slug(line.trim_start_matches('#').trim())).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

fn text_lines(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    (1..).zip(page.lines()).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

fn joined(folder: &str, file: &str) -> String {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

mod tests {
    use std::collections::BTreeSet;

    use super::{broken, uncompiled};

    #[test]
    fn a_link_that_leads_nowhere_is_seen() {
        let files: BTreeSet<_> = ["docs/a.md", "examples/x/main.rs"].map(str::to_owned).into();
        let count = |page: &str| broken("docs/a.md", page, &files, &|_| page.to_owned()).len();
        assert_eq!(
            count("# The `one` thing\n[x](../examples/x/main.rs) [y](../examples) [z](#the-one-thing) <https://a.b>"),
            0
        );
        assert_eq!(count("![p](picture.png) [x](b.md) [y](#two)\n```text\n[z](c.md)\n```\n"), 3);
        assert_eq!(count("[x](https://docs.rs/loky) [y]\n\n[y]: ../examples/x/main.rs"), 0);
        assert_eq!(count("[y]\n\n[y]: ../examples/x/main.py\n"), 1);
    }

    #[test]
    fn code_that_nobody_compiles_is_seen() {
        let door = "#[doc = include_str!(\"../docs/a.md\")]";
        assert_eq!(uncompiled("docs/a.md", "```rust,no_run\nf();\n```\n```text\nx\n```\n", door).len(), 0);
        assert_eq!(uncompiled("docs/a.md", "```rust,ignore\nf();\n```\n", door).len(), 1);
        assert_eq!(uncompiled("docs/b.md", "```rust\nf();\n```\n", door).len(), 1);
        assert_eq!(uncompiled("docs/b.md", "```text\nf\n```\n", door).len(), 0);
    }
}
