//! What a `Cargo.toml` owes its reader: a reason for each dependency, and one place for versions.

/// Foreign dependencies of the workspace without a comment in the line above.
pub(crate) fn unreasoned(manifest: &str) -> Vec<String> {
    let lines: Vec<_> = manifest.lines().collect();
    let is_bare = |at: &usize| !lines[at - 1].starts_with('#') && !lines[*at].contains("path =");
    let bare = entries(manifest, "workspace.dependencies").into_iter().filter(is_bare);
    bare.map(|at| format!("Cargo.toml:{}: no reason above `{}`", at + 1, lines[at])).collect()
}

/// Dependencies of a member that name a version of their own.
pub(crate) fn unshared(path: &str, manifest: &str) -> Vec<String> {
    let lines: Vec<_> = manifest.lines().collect();
    let own = entries(manifest, "dependencies").into_iter().filter(|at| !lines[*at].contains("workspace = true"));
    own.map(|at| format!("{path}:{}: `{}` belongs in the workspace's table", at + 1, lines[at])).collect()
}

/// The lines, from 0, of the entries of every table whose name ends so.
fn entries(manifest: &str, table: &str) -> Vec<usize> {
    let mut is_inside = false;
    let mut found = Vec::new();
    for (at, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            is_inside = line.trim_end().trim_end_matches(']').ends_with(table);
        } else if is_inside && line.starts_with(|first: char| first.is_ascii_alphabetic()) {
            found.push(at);
        }
    }
    found
}

mod tests {
    use super::{unreasoned, unshared};

    #[test]
    fn a_dependency_without_a_reason_is_seen() {
        let manifest = "[workspace.dependencies]\n# Encodes.\nserde = \"1\"\nown = { path = \"own\" }\nrand = \"1\"\n[profile.dev]\nopt = 1\n";
        assert_eq!(unreasoned(manifest), ["Cargo.toml:5: no reason above `rand = \"1\"`"]);
    }

    #[test]
    fn a_version_in_a_member_is_seen() {
        let manifest = "[dependencies]\nserde.workspace = true\n[target.x.dev-dependencies]\nrand = \"1\"\n";
        assert_eq!(unshared("a/Cargo.toml", manifest).len(), 1);
    }
}
