//! Reads the tree: Rust files with their tests taken out, and every text file as it is.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, ImplItem, Item, UseTree};

/// The workspace on disk.
pub(crate) struct Tree(PathBuf);

impl Tree {
    pub(crate) fn of_the_workspace() -> Self {
        let tests =
            Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().expect("the sources are where they were built");
        Self(tests.parent().expect("the tests are a member of the workspace").to_owned())
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// The Rust files below a folder. Snippets that must not compile are nobody's sources.
    pub(crate) fn sources(&self, root: &str) -> Vec<Source> {
        let files: Vec<_> = self.files(root).into_iter().filter(|path| path.ends_with(".rs")).collect();
        let kept = files.into_iter().filter(|path| !path.contains("/ui/"));
        let mut sources: Vec<_> = kept.map(|path| Source::parse(&path, &self.read(&path))).collect();
        let test_files: Vec<String> = sources.iter().flat_map(Source::files_of_test_modules).collect();
        sources.retain(|source| !test_files.iter().any(|stem| source.path.starts_with(stem)));
        sources
    }

    /// Every text file that people read or write, with its path.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let is_text = |path: &String| [".rs", ".md", ".toml", ".yml", ".stderr"].iter().any(|end| path.ends_with(end));
        self.files("").into_iter().filter(is_text).map(|path| (path.clone(), self.read(&path))).collect()
    }

    /// All files below a folder, by paths relative to the workspace; none that git or cargo made, and each where it is,
    /// not where a link says that it is as well.
    pub(crate) fn files(&self, root: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.join(root)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    folders.extend((name != ".git" && name != "target").then_some(path));
                } else {
                    let inside = path.strip_prefix(&self.0).expect("found below the root");
                    found.push(inside.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// A Rust file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) file: syn::File,
}

/// A path as written or as a `use` spells it out, `std::thread::spawn`, and its line.
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text: text.to_owned(), file }
    }

    /// Where the file stands below `src`, without the extension: `["driver", "inbox"]`.
    pub(crate) fn place(&self) -> Vec<&str> {
        let inside = self.path.split_once("src/").map_or(self.path.as_str(), |(_, inside)| inside);
        inside.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect()
    }

    /// Every name used in code that is not a test: the paths of `use` spelled out, and all others as written.
    pub(crate) fn names(&self) -> Vec<Named> {
        let mut names = Vec::new();
        let mut rest = TokenStream::new();
        for item in without_tests(&self.file.items) {
            gather(&item, &mut names, &mut rest);
        }
        walk(rest, &mut names);
        names
    }

    /// The beginnings of the paths of files that exist for tests only: `loky/src/scheduler/sim.` and `…/sim/`.
    fn files_of_test_modules(&self) -> Vec<String> {
        let folder = self.path.trim_end_matches(".rs").trim_end_matches("/mod").trim_end_matches("/lib").to_owned();
        let modules = self.file.items.iter().filter_map(|item| match item {
            Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(module.ident.to_string()),
            _ => None,
        });
        modules.flat_map(|name| [format!("{folder}/{name}."), format!("{folder}/{name}/")]).collect()
    }
}

/// The items that are compiled outside tests; blocks of methods and inline modules are looked into.
pub(crate) fn without_tests(items: &[Item]) -> Vec<Item> {
    items.iter().filter(|item| !is_test(attributes(item))).cloned().map(strip).collect()
}

fn strip(mut item: Item) -> Item {
    match &mut item {
        Item::Mod(module) => {
            if let Some((_, items)) = &mut module.content {
                *items = without_tests(items);
            }
        }
        Item::Impl(block) => block.items.retain(|item| match item {
            ImplItem::Fn(method) => !is_test(&method.attrs),
            _ => true,
        }),
        _ => {}
    }
    item
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]` or `#[cfg(all(test, …))]`; what is also compiled otherwise is not test code.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.map(|cfg| cfg.meta.to_token_stream().to_string().replace(' ', "")).any(|cfg| {
        let inside = cfg.trim_start_matches("cfg(").trim_end_matches(')');
        let parts = inside.trim_start_matches("all(").split(',').collect::<Vec<_>>();
        parts.contains(&"test") && !inside.starts_with("any(")
    })
}

/// Spells out the `use` items, also those of inline modules, and leaves the tokens of everything else.
fn gather(item: &Item, names: &mut Vec<Named>, rest: &mut TokenStream) {
    match item {
        Item::Use(item) => spell_out(&item.tree, &mut Vec::new(), names),
        Item::Mod(module) => {
            for inner in module.content.iter().flat_map(|(_, items)| items) {
                gather(inner, names, rest);
            }
        }
        other => other.to_tokens(rest),
    }
}

fn spell_out(tree: &UseTree, prefix: &mut Vec<String>, names: &mut Vec<Named>) {
    let mut end = |prefix: &[String], last: String, span: Span| {
        let segments = prefix.iter().cloned().chain([last]).collect();
        names.push(Named { segments, line: span.start().line });
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            spell_out(&path.tree, prefix, names);
            prefix.pop();
        }
        UseTree::Name(name) => end(prefix, name.ident.to_string(), name.ident.span()),
        UseTree::Rename(rename) => end(prefix, rename.ident.to_string(), rename.ident.span()),
        UseTree::Glob(glob) => end(prefix, "*".to_owned(), glob.star_token.spans[0]),
        UseTree::Group(group) => group.items.iter().for_each(|item| spell_out(item, prefix, names)),
    }
}

/// Finds the paths in a stream of tokens: identifiers joined by `::`. Macro bodies are tokens like all others; a `use`
/// inside a function keeps its braces and is spelled out by joining what stands before them.
fn walk(tokens: TokenStream, names: &mut Vec<Named>) {
    let mut current: Option<Named> = None;
    let (mut joins, mut is_foreign) = (0, false);
    for token in tokens {
        let was_dollar =
            std::mem::replace(&mut is_foreign, matches!(&token, TokenTree::Punct(p) if p.as_char() == '$'));
        match token {
            TokenTree::Ident(ident) => {
                // `$crate` is written for the crates of users, who come by the front door.
                let segment = if was_dollar { format!("${ident}") } else { ident.to_string() };
                let line = ident.span().start().line;
                match &mut current {
                    Some(path) if joins == 2 => path.segments.push(segment),
                    _ => names.extend(current.replace(Named { segments: vec![segment], line })),
                }
                joins = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                joins += if punct.spacing() == Spacing::Joint || joins == 1 { 1 } else { 3 };
            }
            TokenTree::Group(group) => {
                let first = names.len();
                walk(group.stream(), names);
                if let Some(path) = current.take() {
                    if joins == 2 {
                        names[first..].iter_mut().for_each(|inner| join(&path, inner));
                    }
                    names.push(path);
                }
                joins = 0;
            }
            _ => {
                names.extend(current.take());
                joins = 0;
            }
        }
    }
    names.extend(current);
}

fn join(path: &Named, inner: &mut Named) {
    inner.segments.splice(0..0, path.segments.iter().cloned());
}

mod tests {
    use super::Source;

    fn names(text: &str) -> Vec<String> {
        Source::parse("loky/src/a.rs", text).names().iter().map(|name| name.segments.join("::")).collect()
    }

    #[test]
    fn a_use_is_spelled_out() {
        assert_eq!(names("use crate::{ids::CallId, error::{Error, self as e}};").len(), 3);
        assert!(names("use crate::{ids::CallId, error::Error};").contains(&"crate::error::Error".to_owned()));
        assert!(names("fn f() { use std::{env, fs}; }").contains(&"std::env".to_owned()));
    }

    #[test]
    fn a_path_is_found_wherever_it_stands() {
        let text = "fn f(x: crate::ids::CallId) -> u8 { g!(crate::env::depth(), y: crate::cpu) }";
        let found = names(text);
        for path in ["crate::ids::CallId", "crate::env::depth", "crate::cpu"] {
            assert!(found.contains(&path.to_owned()), "{path} in {found:?}");
        }
    }

    #[test]
    fn tests_are_left_out() {
        assert!(names("#[cfg(test)] mod tests { use std::env; }").is_empty());
        assert!(names("#[cfg(all(test, not(loom)))] mod tests { use std::env; }").is_empty());
        assert!(!names("#[cfg(any(test, unix))] mod tests { use std::env; }").is_empty());
        assert!(!names("impl A { #[cfg(test)] fn a() { x::y() } }").contains(&"x::y".to_owned()));
    }
}
