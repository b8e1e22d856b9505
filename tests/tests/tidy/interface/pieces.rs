//! One thing that can be named: how it is declared, what is said of it, and where.

use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Block, FnArg, Generics, Item, ItemEnum, ItemStruct, ItemTrait, Pat, Signature, Token, TraitItem,
    TypeParamBound, Visibility,
};

use super::modules::{Features, docs_of, features_of, is_hidden};
use super::spell::spell;

/// A file, and a line from 1.
#[derive(Clone, Debug)]
pub(crate) struct Place(pub(super) String, pub(super) usize);

impl Place {
    pub(super) fn of(file: &str, what: &impl Spanned) -> Self {
        Self(file.to_owned(), what.span().start().line)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Feature,
    Module,
    Type,
    Trait,
    /// One whose methods can be called, and which has no page.
    NamelessTrait,
    Function,
    Macro,
    /// A function of a type or a trait.
    Method,
    /// A field, a variant, or a type of a trait.
    Part,
    /// A block of methods, or of what makes a type have a trait.
    Implementation,
    /// Another name of something.
    Name,
}

pub(crate) struct Piece {
    /// `loky::Pool::resize`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) features: Features,
    /// As it would be written without a body; empty if there is nothing to declare.
    pub(crate) declaration: String,
    pub(crate) docs: String,
    pub(crate) place: Place,
    /// Of a function.
    pub(crate) signature: Option<Signature>,
    /// Of a function that has one.
    pub(crate) body: Option<Block>,
}

impl Piece {
    pub(super) fn new(path: &str, kind: Kind, declaration: String, docs: String, place: Place) -> Self {
        let (path, features) = (path.to_owned(), Features::new());
        Self { path, kind, features, declaration, docs, place, signature: None, body: None }
    }

    pub(super) fn feature(name: &str) -> Self {
        let place = Place("loky/Cargo.toml".to_owned(), 1);
        Self::new(&format!("feature {name}"), Kind::Feature, String::new(), String::new(), place)
    }

    pub(super) fn with(mut self, features: &Features, attributes: &[Attribute]) -> Self {
        self.features = features.union(&features_of(attributes)).cloned().collect();
        self
    }

    pub(super) fn with_function(mut self, signature: &Signature, body: Option<&Block>) -> Self {
        (self.signature, self.body) = (Some(signature.clone()), body.cloned());
        self
    }

    /// Whether it only says something of others.
    pub(crate) fn is_silent(&self) -> bool {
        self.kind == Kind::Implementation && self.declaration.is_empty()
    }

    /// How it stands in the record.
    pub(crate) fn line(&self) -> String {
        let features: Vec<_> = self.features.iter().map(String::as_str).collect();
        let features = if features.is_empty() { String::new() } else { format!(" [{}]", features.join(", ")) };
        let declaration = if self.declaration.is_empty() { String::new() } else { format!(": {}", self.declaration) };
        format!("{}{features}{declaration}", self.path)
    }
}

/// Where an item is met.
#[derive(Clone, Copy)]
pub(super) struct Met<'a> {
    pub(super) path: &'a str,
    /// It can be used, but not named.
    pub(super) is_nameless: bool,
    pub(super) features: &'a Features,
    pub(super) file: &'a str,
}

impl Met<'_> {
    /// The item itself.
    fn own(self, kind: Kind, declaration: &str, attributes: &[Attribute], name: &impl Spanned) -> Piece {
        let nameless = if self.is_nameless { "(without its name) " } else { "" };
        let declaration = format!("{nameless}{}{declaration}", marks(attributes));
        let place = Place::of(self.file, name);
        Piece::new(self.path, kind, declaration, docs_of(attributes), place).with(self.features, attributes)
    }

    /// Something in it.
    fn part(self, kind: Kind, name: &str, declaration: String, attributes: &[Attribute], at: &impl Spanned) -> Piece {
        let (path, place) = (format!("{}::{name}", self.path), Place::of(self.file, at));
        Piece::new(&path, kind, declaration, docs_of(attributes), place).with(self.features, attributes)
    }
}

/// The item and what is public in it.
pub(super) fn of_item(item: &Item, met: Met<'_>) -> Vec<Piece> {
    match item {
        Item::Struct(item) => of_struct(item, met),
        Item::Enum(item) => of_enum(item, met),
        Item::Trait(item) => of_trait(item, met),
        Item::Fn(item) => {
            let declaration = format!("pub {}", declaration_of(&item.sig));
            let own = met.own(Kind::Function, &declaration, &item.attrs, &item.sig.ident);
            vec![own.with_function(&item.sig, Some(&item.block))]
        }
        other => vec![met.own(Kind::Type, &spell(other), &[], other)],
    }
}

fn of_struct(item: &ItemStruct, met: Met<'_>) -> Vec<Piece> {
    let declaration = format!("pub struct {}", header(&item.ident, &item.generics));
    let own = met.own(Kind::Type, &declaration, &item.attrs, &item.ident);
    let fields = item.fields.members().zip(&item.fields);
    let public = fields.filter(|(_, field)| matches!(field.vis, Visibility::Public(_)));
    let parts = public.map(|(name, field)| {
        let name = spell(&name);
        let declaration = format!("pub {name}: {}", spell(&field.ty));
        met.part(Kind::Part, &name, declaration, &field.attrs, field)
    });
    [own].into_iter().chain(parts).collect()
}

fn of_enum(item: &ItemEnum, met: Met<'_>) -> Vec<Piece> {
    let declaration = format!("pub enum {}", header(&item.ident, &item.generics));
    let own = met.own(Kind::Type, &declaration, &item.attrs, &item.ident);
    let variants = item.variants.iter().map(|variant| {
        let (name, fields) = (variant.ident.to_string(), &variant.fields);
        let declaration = format!("{name}{}", spell(fields));
        met.part(Kind::Part, &name, declaration, &variant.attrs, &variant.ident)
    });
    [own].into_iter().chain(variants).collect()
}

fn of_trait(item: &ItemTrait, met: Met<'_>) -> Vec<Piece> {
    let bounds = after_colon(&item.supertraits);
    let declaration = format!("pub trait {}{bounds}", header(&item.ident, &item.generics));
    let kind = if met.is_nameless { Kind::NamelessTrait } else { Kind::Trait };
    let own = met.own(kind, &declaration, &item.attrs, &item.ident);
    let parts = item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(item) if !is_hidden(&item.attrs) => {
            let name = item.sig.ident.to_string();
            let piece = met.part(Kind::Method, &name, declaration_of(&item.sig), &item.attrs, &item.sig.ident);
            Some(piece.with_function(&item.sig, item.default.as_ref()))
        }
        TraitItem::Type(item) if !is_hidden(&item.attrs) => {
            let declaration = format!("type {}{}", item.ident, after_colon(&item.bounds));
            Some(met.part(Kind::Part, &item.ident.to_string(), declaration, &item.attrs, &item.ident))
        }
        _ => None,
    });
    [own].into_iter().chain(parts).collect()
}

/// `: A + B`, or nothing.
fn after_colon(bounds: &Punctuated<TypeParamBound, Token![+]>) -> String {
    if bounds.is_empty() { String::new() } else { format!(": {}", spell(bounds)) }
}

/// A signature as callers see it: whether an argument is changed inside is not their business.
pub(super) fn declaration_of(signature: &Signature) -> String {
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => receiver.mutability = None,
            FnArg::Typed(typed) => {
                if let Pat::Ident(name) = &mut *typed.pat {
                    name.mutability = None;
                }
            }
        }
    }
    spell(&signature)
}

/// A name with its parameters and their bounds.
fn header(name: &syn::Ident, generics: &Generics) -> String {
    let clause = &generics.where_clause;
    spell(&quote!(#name #generics #clause))
}

/// What is derived, and whether it may grow.
fn marks(attributes: &[Attribute]) -> String {
    let is_told =
        |attribute: &&Attribute| ["derive", "non_exhaustive"].iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(is_told).map(|attribute| spell(&attribute.to_token_stream()) + " ").collect()
}
