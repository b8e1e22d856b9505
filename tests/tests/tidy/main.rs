//! The house rules that a machine can hold: who may import whom, who may name what, how long things are, which words.
//!
//! Nothing here starts a process. Each rule is a function from sources to complaints, kept beside tests that feed it
//! a bad snippet, so that a rule which no longer sees anything is noticed too.

mod absences;
mod bounds;
mod coverage;
mod interface;
mod layers;
mod links;
mod manifest;
mod pages;
mod promises;
mod record;
mod shape;
mod source;
mod systems;
mod words;

use source::{Source, Tree};

#[test]
fn rooms_import_only_what_the_table_allows() {
    let sources = library();
    hold(sources.iter().flat_map(|source| layers::complaints(source, layers::HOUSE)));
}

#[test]
fn every_room_stands_in_the_table_and_the_table_is_layered() {
    hold(layers::table_complaints(&library(), layers::HOUSE));
}

#[test]
fn what_belongs_to_one_room_is_named_nowhere_else() {
    hold(library().iter().flat_map(|source| absences::complaints(source, absences::RULES)));
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    hold(all().iter().flat_map(shape::unargued_unsafe));
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(all().iter().filter_map(shape::missing_purpose));
}

#[test]
fn files_and_functions_are_known_in_one_sitting() {
    hold(all().iter().filter_map(shape::long_file));
    hold(all().iter().flat_map(shape::long_functions));
}

#[test]
fn every_dependency_states_its_reason() {
    let tree = Tree::of_the_workspace();
    hold(manifest::unreasoned(&tree.read("Cargo.toml")));
    for member in ["loky", "loky-macros", "benches", "examples", "tests"] {
        hold(manifest::unshared(&format!("{member}/Cargo.toml"), &tree.read(&format!("{member}/Cargo.toml"))));
    }
}

#[test]
fn no_word_that_we_do_not_use() {
    let texts = Tree::of_the_workspace().texts();
    assert!(texts.len() > 10, "the tree was found");
    hold(texts.iter().flat_map(|(path, text)| words::complaints(path, text)));
}

#[test]
fn every_scenario_has_a_test_or_a_reason() {
    let tree = Tree::of_the_workspace();
    hold(coverage::complaints(&tree.read("tests/COVERAGE.md"), &tree.texts()));
}

#[test]
fn every_promise_is_held_by_a_test() {
    let tree = Tree::of_the_workspace();
    hold(promises::complaints(&tree.read("docs/reliability.md"), &coverage::tests(&tree.texts())));
}

#[test]
fn every_public_item_says_what_it_owes() {
    let pieces = interface::interface(&Tree::of_the_workspace());
    assert!(pieces.len() > 100, "the library was found");
    hold(pages::complaints(&pieces));
}

#[test]
fn the_interface_is_the_recorded_one() {
    let tree = Tree::of_the_workspace();
    let text = record::text(&interface::interface(&tree));
    if std::env::var_os("LOKY_TESTS_WRITE").is_some() {
        tree.write(record::PATH, &text);
    }
    hold(record::complaints(&tree.read(record::PATH), &text));
}

#[test]
fn every_page_leads_somewhere_and_is_compiled() {
    let tree = Tree::of_the_workspace();
    let (files, front_door) = (tree.files("").into_iter().collect(), tree.read("loky/src/lib.rs"));
    let texts = tree.texts();
    let pages = texts.iter().filter(|(path, _)| path.ends_with(".md"));
    hold(pages.clone().flat_map(|(path, page)| links::broken(path, page, &files, &|path| tree.read(path))));
    let chapters = pages.filter(|(path, _)| path.starts_with("docs/"));
    hold(chapters.flat_map(|(path, page)| links::uncompiled(path, page, &front_door)));
}

/// The sources of the library alone.
fn library() -> Vec<Source> {
    let sources = Tree::of_the_workspace().sources("loky/src");
    assert!(!sources.is_empty(), "the library was found");
    sources
}

/// The sources of every member.
fn all() -> Vec<Source> {
    let tree = Tree::of_the_workspace();
    let roots = ["loky", "loky-macros", "benches", "examples", "tests"];
    roots.iter().flat_map(|root| tree.sources(root)).collect()
}

#[track_caller]
fn hold(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{} complaints:\n  {}", complaints.len(), complaints.join("\n  "));
}
