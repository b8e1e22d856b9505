//! What strangers can name of the library: a walk over its sources, from the front door along every `pub use`.
//!
//! It reads and tells; what has to be documented, and that the interface has not changed unseen, is held elsewhere.

mod expand;
mod implementations;
mod modules;
mod pieces;
mod spell;

use std::collections::BTreeMap;

use syn::{Item, ItemFn, ItemMacro, ItemUse};

pub(crate) use self::pieces::{Kind, Piece};

use self::implementations::Implementations;
use self::modules::{Features, Found, Modules, docs_of, features_of, is_hidden, is_public, leaves, name_of};
use self::pieces::{Met, Place};
use crate::source::{Source, Tree, attributes};

const CRATE: &str = "loky";

/// Everything that can be named, features included, in the order of the names.
pub(crate) fn interface(tree: &Tree) -> Vec<Piece> {
    let (library, attribute_macros) = (tree.sources("loky/src"), tree.sources("loky-macros/src"));
    let mut pieces = of_sources(&library, &attribute_macros);
    pieces.extend(features(&tree.read("loky/Cargo.toml")).map(Piece::feature));
    pieces.sort_by_key(Piece::line);
    pieces
}

/// What is public in a library of one file.
pub(crate) fn of_text(text: &str) -> Vec<Piece> {
    of_sources(&[Source::parse("loky/src/lib.rs", text)], &[])
}

fn of_sources(library: &[Source], attribute_macros: &[Source]) -> Vec<Piece> {
    let modules = Modules::of(library);
    let mut walk = Walk { modules: &modules, attribute_macros, public: BTreeMap::new(), pieces: Vec::new() };
    walk.enter(&[], CRATE);
    walk.exported_macros();
    let Walk { public, mut pieces, .. } = walk;
    pieces.extend(Implementations { modules: &modules, public }.pieces());
    pieces
}

/// Where something is defined: its module, and its name there.
type Definition = (Vec<String>, String);

struct Walk<'a> {
    modules: &'a Modules,
    attribute_macros: &'a [Source],
    /// By which path each public item was met first.
    public: BTreeMap<Definition, String>,
    pieces: Vec<Piece>,
}

impl Walk<'_> {
    /// What is public in a module that is called so.
    fn enter(&mut self, at: &[String], path: &str) {
        let modules = self.modules;
        let Some(module) = modules.at(at) else { return };
        let public: Vec<_> = module.items.iter().filter(|item| is_public(item)).collect();
        for item in &public {
            match item {
                Item::Use(item) => self.follow(at, path, item),
                Item::Mod(_) => {}
                item => self.add(Found { module: at, item }, path, None, Features::new()),
            }
        }
        // Last, so that what has a shorter name is called by that.
        for item in public {
            if let Item::Mod(inner) = item {
                let (name, at) = (inner.ident.to_string(), [at, &[inner.ident.to_string()]].concat());
                let path = format!("{path}::{name}");
                let own = modules.at(&at).map_or("", |module| &module.docs);
                let docs = docs_of(&inner.attrs) + own;
                let place = Place::of(&module.file, &inner.ident);
                self.pieces.push(Piece::new(&path, Kind::Module, format!("pub mod {name}"), docs, place));
                self.enter(&at, &path);
            }
        }
    }

    fn follow(&mut self, at: &[String], path: &str, item: &ItemUse) {
        let modules = self.modules;
        for leaf in leaves(item) {
            if let Some(found) = modules.resolve(at, &leaf.path) {
                self.add(found, path, Some(&leaf.name), features_of(&item.attrs));
            } else if leaf.path[0] == "loky_macros" {
                self.add_attribute(path, &leaf.name);
            }
        }
    }

    /// An item that can be named in `path`, as itself or by `name`.
    fn add(&mut self, found: Found<'_>, path: &str, name: Option<&str>, mut features: Features) {
        let own = name_of(found.item).expect("an item that is found has a name");
        let is_nameless = name == Some("_");
        let path = format!("{path}::{}", name.filter(|_| !is_nameless).unwrap_or(&own));
        let definition = (found.module.to_vec(), own);
        if let Some(first) = self.public.get(&definition) {
            let place = Place::of(&self.modules.at(found.module).expect("it is there").file, &definition.1);
            self.pieces.push(Piece::new(&path, Kind::Name, format!("pub use {first}"), String::new(), place));
            return;
        }
        let module = self.modules.at(found.module).expect("it was found there");
        features.extend(module.features.iter().cloned().chain(features_of(attributes(found.item))));
        let met = Met { path: &path, is_nameless, features: &features, file: &module.file };
        self.pieces.extend(pieces::of_item(found.item, met));
        self.public.insert(definition, path);
    }

    fn add_attribute(&mut self, path: &str, name: &str) {
        let is_attribute = |item: &ItemFn| {
            let mut attributes = item.attrs.iter();
            attributes.any(|attribute| attribute.path().is_ident("proc_macro_attribute")) && !is_hidden(&item.attrs)
        };
        for source in self.attribute_macros {
            let found = source.file.items.iter().find_map(|item| match item {
                Item::Fn(item) if item.sig.ident == name && is_attribute(item) => Some(item),
                _ => None,
            });
            if let Some(item) = found {
                let (path, place) = (format!("{path}::{name}"), Place::of(&source.path, &item.sig.ident));
                let declaration = format!("#[{CRATE}::{name}]");
                self.pieces.push(Piece::new(&path, Kind::Macro, declaration, docs_of(&item.attrs), place));
            }
        }
    }

    /// Macros stand at the root, wherever they are written.
    fn exported_macros(&mut self) {
        let is_exported = |item: &&ItemMacro| {
            item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) && !is_hidden(&item.attrs)
        };
        for (_, module) in self.modules.iter() {
            let macros = module.items.iter().filter_map(|item| match item {
                Item::Macro(item) => Some(item),
                _ => None,
            });
            for item in macros.filter(is_exported) {
                let name = item.ident.as_ref().expect("what is exported has a name");
                let (path, place) = (format!("{CRATE}::{name}!"), Place::of(&module.file, name));
                let declaration = format!("macro_rules! {name}");
                self.pieces.push(Piece::new(&path, Kind::Macro, declaration, docs_of(&item.attrs), place));
            }
        }
    }
}

/// The names in the table of features.
fn features(manifest: &str) -> impl Iterator<Item = &str> {
    let table = manifest.lines().skip_while(|line| *line != "[features]").skip(1);
    let entries = table.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    entries.filter_map(|line| Some(line.split_once(" = ")?.0))
}

mod tests {
    use super::of_sources;
    use crate::source::Source;

    fn lines(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> =
            files.iter().map(|(name, text)| Source::parse(&format!("loky/src/{name}.rs"), text)).collect();
        let mut lines: Vec<_> = of_sources(&sources, &[]).iter().map(super::Piece::line).collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_is_exported_is_found_where_it_is_defined() {
        let root = "mod pool; pub use pool::{Pool, start as begin}; mod inner { pub fn secret() {} }";
        let pool = "mod handle; pub use self::handle::Pool; pub fn start() -> Pool { Pool } pub struct Hidden;";
        let handle =
            "#[derive(Clone)] pub struct Pool(u8); impl<R: Sized> Pool { pub fn go(mut self, r: R) {} fn no() {} }";
        let found = lines(&[("lib", root), ("pool/mod", pool), ("pool/handle", handle)]);
        let expected = [
            "loky::Pool: #[derive(Clone)] pub struct Pool",
            "loky::Pool::go: impl<R: Sized> Pool { pub fn go(self, r: R); }",
            "loky::begin: pub fn start() -> Pool",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn features_are_named_wherever_they_are_asked_for() {
        let root = "#[cfg(feature = \"a\")] mod a; #[cfg(feature = \"b\")] pub use a::A;";
        let a = "pub struct A; impl A { #[cfg(feature = \"c\")] pub fn f(&self) {} }";
        let found = lines(&[("lib", root), ("a", a)]);
        assert_eq!(found, ["loky::A [a, b]: pub struct A", "loky::A::f [a, c]: pub fn f(&self)"]);
    }

    #[test]
    fn what_is_hidden_is_not_told() {
        assert!(
            lines(&[("lib", "#[doc(hidden)] pub mod private; pub(crate) fn f() {}"), ("private", "pub fn g() {}")])
                .is_empty()
        );
    }

    #[test]
    fn traits_fields_variants_and_implementations_are_told() {
        let root = "#[non_exhaustive] pub enum E { A, B(u8) } pub struct S { pub a: u8, b: u8 } pub trait T: Sized { type X; fn f(&self) -> u8 { 1 } }
            impl<'a> From<S> for u8 { } impl Iterator for S { type Item = u8; fn next(&mut self) -> Option<u8> { None } } impl T for u16 {} trait P {} impl P for S {}";
        let found = lines(&[("lib", root)]);
        let expected = [
            "loky::E: #[non_exhaustive] pub enum E",
            "loky::E::A: A",
            "loky::E::B: B(u8)",
            "loky::S: impl Iterator for S { type Item = u8; }",
            "loky::S: impl<'a> From<S> for u8",
            "loky::S: pub struct S",
            "loky::S::a: pub a: u8",
            "loky::T: impl T for u16",
            "loky::T: pub trait T: Sized",
            "loky::T::X: type X",
            "loky::T::f: fn f(&self) -> u8",
        ];
        assert_eq!(found, expected);
    }
}
