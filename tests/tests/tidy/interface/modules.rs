//! The library's modules as the compiler sees them, without those of tests: what stands in each, which features it needs,
//! and what a name in it means.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Item, ItemUse, Lit, Meta, UseTree, Visibility};

use super::expand::Macros;
use crate::source::{Source, attributes, is_test, without_tests};

/// The names of features.
pub(super) type Features = BTreeSet<String>;

/// All modules, by their paths from the root of the crate.
pub(super) struct Modules(BTreeMap<Vec<String>, Module>);

pub(super) struct Module {
    /// The file.
    pub(super) file: String,
    pub(super) features: Features,
    /// What its file says of itself.
    pub(super) docs: String,
    pub(super) items: Vec<Item>,
}

/// A name of a `use`: the path that it stands for, and the name.
pub(super) struct Leaf {
    pub(super) path: Vec<String>,
    pub(super) name: String,
}

/// An item, and the module that it stands in.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) module: &'a [String],
    pub(super) item: &'a Item,
}

/// More `use` than this lie between no name and what it means.
const STEPS_MAX: usize = 8;

impl Modules {
    pub(super) fn of(sources: &[Source]) -> Self {
        let (mut all, macros) = (Self(BTreeMap::new()), Macros::of(sources));
        all.add(sources, &macros, vec![], Features::new());
        all
    }

    fn add(&mut self, sources: &[Source], macros: &Macros, path: Vec<String>, features: Features) {
        let place = |source: &&Source| match path.as_slice() {
            [] => source.place() == ["lib"],
            path => source.place() == path,
        };
        let Some(source) = sources.iter().find(place) else { return };
        let items: Vec<_> =
            without_tests(&source.file.items).into_iter().flat_map(|item| macros.expand_item(item)).collect();
        for item in &items {
            if let Item::Mod(module) = item {
                let (mut path, mut features) = (path.clone(), features.clone());
                path.push(module.ident.to_string());
                features.extend(features_of(&module.attrs));
                self.add(sources, macros, path, features);
            }
        }
        let docs = docs_of(&source.file.attrs);
        self.0.insert(path, Module { file: source.path.clone(), features, docs, items });
    }

    pub(super) fn at(&self, path: &[String]) -> Option<&Module> {
        self.0.get(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[String], &Module)> {
        self.0.iter().map(|(path, module)| (path.as_slice(), module))
    }

    /// What the path means in this module; nothing if it is not of this crate.
    pub(super) fn resolve(&self, module: &[String], path: &[String]) -> Option<Found<'_>> {
        self.resolve_within(module, path, STEPS_MAX)
    }

    fn resolve_within(&self, module: &[String], path: &[String], steps: usize) -> Option<Found<'_>> {
        let (name, way) = path.split_last()?;
        let mut place = module.to_vec();
        for (at, step) in way.iter().enumerate() {
            match (step.as_str(), at) {
                ("crate", 0) => place.clear(),
                ("self", 0) => {}
                ("super", _) => _ = place.pop(),
                _ => place.push(step.clone()),
            }
        }
        let (place, module) = self.0.get_key_value(&place)?;
        let own = module.items.iter().find(|item| name_of(item).as_ref() == Some(name));
        if let Some(item) = own {
            return Some(Found { module: place, item });
        }
        let uses = module.items.iter().filter_map(|item| match item {
            Item::Use(item) if steps > 0 => Some(leaves(item)),
            _ => None,
        });
        uses.flatten()
            .filter(|leaf| leaf.name == *name)
            .find_map(|leaf| self.resolve_within(place, &leaf.path, steps - 1))
    }
}

/// The name of an item that is no module, which has names of its own.
pub(super) fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

pub(super) fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Use(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes(item))
}

/// Each name of a `use`, with what it stands for.
pub(super) fn leaves(item: &ItemUse) -> Vec<Leaf> {
    fn walk(tree: &UseTree, path: &[String], found: &mut Vec<Leaf>) {
        let longer = |name: &dyn ToString| [path, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(step) => walk(&step.tree, &longer(&step.ident), found),
            UseTree::Name(name) => found.push(Leaf { path: longer(&name.ident), name: name.ident.to_string() }),
            UseTree::Rename(name) => found.push(Leaf { path: longer(&name.ident), name: name.rename.to_string() }),
            UseTree::Glob(_) => {}
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, path, found)),
        }
    }
    let mut found = Vec::new();
    walk(&item.tree, &[], &mut found);
    found
}

/// Without which features the item is not there.
pub(super) fn features_of(attributes: &[Attribute]) -> Features {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    let mut found = Features::new();
    conditions.for_each(|condition| wanted(condition.meta.to_token_stream(), &mut found));
    found
}

fn wanted(condition: TokenStream, found: &mut Features) {
    let tokens: Vec<_> = condition.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let is_after = |word: &str| at > 0 && matches!(&tokens[at - 1], TokenTree::Ident(name) if *name == word);
        match token {
            TokenTree::Group(group) if !is_after("not") => wanted(group.stream(), found),
            TokenTree::Ident(name) if *name == "feature" => {
                found.extend(tokens.get(at + 2).map(|name| name.to_string().trim_matches('"').to_owned()));
            }
            _ => {}
        }
    }
}

pub(super) fn is_hidden(attributes: &[Attribute]) -> bool {
    is_test(attributes)
        || attributes.iter().any(|attribute| attribute.meta.to_token_stream().to_string() == "doc (hidden)")
}

/// What is documented, line by line.
pub(super) fn docs_of(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => Some(match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => line.value(),
            // `concat!`, of texts.
            other => texts(other.to_token_stream()),
        }),
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned() + "\n").collect()
}

/// All texts among the tokens, joined.
fn texts(tokens: TokenStream) -> String {
    let each = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => texts(group.stream()),
        TokenTree::Literal(literal) => literal.to_string().trim_matches('"').to_owned(),
        _ => String::new(),
    });
    each.collect()
}
