//! Which files there are, and which crate each belongs to. Looks at names and manifests, never into a source file.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::problem::Problem;

/// All files to count.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
    pub(crate) crates: Vec<Crate>,
    /// Folders that could not be entered, each with the reason: what lies there is not even found.
    pub(crate) closed: Vec<String>,
}

/// One file, and its crate as an index into [`Sources::crates`].
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) crate_index: usize,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Crate {
    /// With the version, where one is known.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
}

impl Sources {
    /// All `.rs` files below these folders, or below cargo's registry if there are none, sorted by path.
    pub(crate) fn find(folders: &[PathBuf]) -> Result<Self, Problem> {
        let roots = if folders.is_empty() { vec![registry()?] } else { distinct(folders)? };
        let mut sources = Self::default();
        for root in &roots {
            sources.walk(root);
        }
        Ok(sources)
    }

    fn walk(&mut self, root: &Path) {
        let mut crate_of_folder = HashMap::new();
        for entry in WalkDir::new(root).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_rust(entry.path()) => {
                    let folder = entry.path().parent().unwrap_or(root).to_owned();
                    let crate_index =
                        *crate_of_folder.entry(folder).or_insert_with_key(|folder| self.crate_at(folder, root));
                    self.files.push(Source { path: entry.into_path(), crate_index });
                }
                Ok(_) => {}
                Err(error) => self.closed.push(error.to_string()),
            }
        }
    }

    /// The crate that a file in this folder belongs to, as an index.
    fn crate_at(&mut self, folder: &Path, root: &Path) -> usize {
        let folder = crate_folder(folder, root);
        let known = self.crates.iter().position(|known| known.folder == folder);
        known.unwrap_or_else(|| {
            self.crates.push(Crate { name: crate_name(&folder), folder });
            self.crates.len() - 1
        })
    }

    /// Adds files as a crate of their own, spread among the others so that they have neighbours.
    pub(crate) fn mix_in(&mut self, name: &str, folder: &Path, paths: &[PathBuf]) {
        let crate_index = self.crates.len();
        self.crates.push(Crate { name: name.to_owned(), folder: folder.to_owned() });
        // In the first half, so that the slow one does not stand alone at the end.
        let gap = self.files.len() / (2 * paths.len().max(1));
        for (n, path) in paths.iter().enumerate() {
            self.files.insert(n * (gap + 1), Source { path: path.clone(), crate_index });
        }
    }

    /// How a file is called in a row: its crate's folder and the path in it.
    pub(crate) fn label(&self, index: usize) -> String {
        let file = &self.files[index];
        let folder = &self.crates[file.crate_index].folder;
        let base = folder.parent().unwrap_or(folder);
        file.path.strip_prefix(base).unwrap_or(&file.path).display().to_string()
    }
}

fn is_rust(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("rs"))
}

fn registry() -> Result<PathBuf, Problem> {
    let folder = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let sources = folder("CARGO_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cargo")))
        .map(|home| home.join("registry/src"))
        .ok_or_else(|| Problem::Usage("neither CARGO_HOME nor HOME is set: name the folders to read".into()))?;
    fs::canonicalize(&sources).map_err(|error| {
        let place = sources.display();
        Problem::Usage(format!(
            "cargo keeps no sources at {place} ({error}): run `cargo fetch` in a project that has dependencies, or name \
             the folders to read"
        ))
    })
}

/// Absolute, and none inside another, so that no file is found twice.
fn distinct(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let absolute = |folder: &PathBuf| {
        fs::canonicalize(folder).map_err(|error| Problem::Usage(format!("cannot read `{}`: {error}", folder.display())))
    };
    let mut roots = folders.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    roots.sort();
    // A folder sorts before all that lies in it.
    roots.dedup_by(|inner, outer| inner.starts_with(outer));
    Ok(roots)
}

/// The crate's folder in cargo's registry; elsewhere the nearest one with a package's manifest, or else the root.
fn crate_folder(folder: &Path, root: &Path) -> PathBuf {
    let folders = || folder.ancestors();
    // First of all, because packages contain others as test data, and those are no crates of this machine.
    let unpacked = folders().find(|folder| {
        let parent = folder.parent().and_then(Path::parent);
        parent.is_some_and(|parent| parent.ends_with("registry/src"))
    });
    let found = unpacked.or_else(|| folders().find(|folder| package_name(folder).is_some()));
    let root = if root.is_dir() { root } else { root.parent().unwrap_or(root) };
    found.unwrap_or(root).to_owned()
}

fn crate_name(folder: &Path) -> String {
    let last = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
    match split_version(&last) {
        Some((name, version)) => format!("{name} {version}"),
        None => package_name(folder).unwrap_or_else(|| last.into_owned()),
    }
}

/// `serde-json-1.0.2-rc.1` is `serde-json` at `1.0.2-rc.1`: the version begins at the first three numbers.
fn split_version(folder: &str) -> Option<(&str, &str)> {
    let is_version = |text: &str| {
        let mut numbers = text.splitn(3, '.');
        let whole = |part: Option<&str>| part.is_some_and(|part| part.parse::<u64>().is_ok());
        whole(numbers.next())
            && whole(numbers.next())
            && numbers.next().is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    folder.match_indices('-').map(|(at, _)| (&folder[..at], &folder[at + 1..])).find(|(_, rest)| is_version(rest))
}

/// The name in `[package]`. Reads only what cargo itself writes there, which every manifest in practice follows.
fn package_name(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let package = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    let mut values = package.take_while(|line| !line.starts_with('['));
    let value = values.find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))?;
    value.trim().strip_prefix('"')?.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("not the root")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        folder
    }

    /// Pairs of crate and label, in order.
    fn found(folders: &[PathBuf]) -> Vec<(String, String)> {
        let sources = Sources::find(folders).expect("folders that exist");
        let name = |index: usize| sources.crates[sources.files[index].crate_index].name.clone();
        (0..sources.files.len()).map(|index| (name(index), sources.label(index))).collect()
    }

    fn pair(name: &str, label: &str) -> (String, String) {
        (name.to_owned(), label.to_owned())
    }

    #[test]
    fn versions_begin_at_three_numbers() {
        assert_eq!(split_version("syn-3.0.10"), Some(("syn", "3.0.10")));
        assert_eq!(split_version("libc-1.0.0-alpha.5"), Some(("libc", "1.0.0-alpha.5")));
        assert_eq!(split_version("a-2-b-0.1.0+c-1.2.3"), Some(("a-2-b", "0.1.0+c-1.2.3")));
        assert_eq!(split_version("loky-macros"), None);
        assert_eq!(split_version("x-1.0"), None);
    }

    #[test]
    fn a_crate_of_the_registry_contains_its_test_data() {
        let folder = tree(&[
            ("registry/src/index/a-1.0.0/src/lib.rs", ""),
            ("registry/src/index/a-1.0.0/tests/data/Cargo.toml", "[package]\nname = \"data\"\n"),
            ("registry/src/index/a-1.0.0/tests/data/main.rs", ""),
            ("registry/src/index/a-1.0.0/README.md", ""),
        ]);
        let expected = [pair("a 1.0.0", "a-1.0.0/src/lib.rs"), pair("a 1.0.0", "a-1.0.0/tests/data/main.rs")];
        assert_eq!(found(&[folder.path().to_owned()]), expected);
    }

    #[test]
    fn elsewhere_the_nearest_package_is_the_crate() {
        let folder = tree(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"in\"]\n\n[workspace.package]\nname = \"no\"\n"),
            ("in/Cargo.toml", "[package]\nversion = \"1.0.0\"\nname=\"inner\" # why\n[lib]\nname = \"other\"\n"),
            ("in/src/deep/a.rs", ""),
            ("loose.rs", ""),
        ]);
        let root = fs::canonicalize(folder.path()).expect("it exists");
        let name = root.file_name().expect("a name").to_string_lossy();
        let expected = [pair("inner", "in/src/deep/a.rs"), pair(&name, &format!("{name}/loose.rs"))];
        assert_eq!(found(std::slice::from_ref(&root)), expected);
        assert_eq!(found(&[root.join("in/src/deep/a.rs")]), expected[..1]);
    }

    #[test]
    fn overlapping_folders_and_links_in_a_circle_count_once() {
        let folder = tree(&[("a/x.rs", ""), ("a/b/y.rs", "")]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/b/up")).expect("a link");
        let folders = ["a/b", "a", "a/b/up/a"].map(|inner| folder.path().join(inner));
        assert_eq!(found(&folders).len(), 2);
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_mistake_of_the_caller() {
        let problem = Sources::find(&["/no/such/folder".into()]).expect_err("not there");
        assert_eq!(problem.exit_code(), 2);
        assert!(problem.to_string().contains("`/no/such/folder`"), "{problem}");
    }

    #[test]
    fn mixed_in_files_lie_among_the_others() {
        let names = |range: std::ops::Range<u8>| range.map(|n| PathBuf::from(format!("{n}.rs"))).collect::<Vec<_>>();
        let mut sources = Sources::default();
        sources.mix_in("real", Path::new("/real"), &names(0..10));
        sources.mix_in("generated", Path::new("/generated"), &names(10..12));
        let places: Vec<_> = (0..12).filter(|&index| sources.files[index].crate_index == 1).collect();
        assert_eq!(places, [0, 3]);
    }
}
