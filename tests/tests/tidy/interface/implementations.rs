//! What types can do: their own methods, and the traits that they have.

use std::collections::BTreeMap;

use quote::quote;
use syn::{GenericArgument, ImplItem, Item, ItemImpl, PathArguments, Type, Visibility};

use super::Definition;
use super::modules::{Features, Module, Modules, docs_of, features_of, is_hidden, name_of};
use super::pieces::{Kind, Piece, Place, declaration_of};
use super::spell::spell;

pub(super) struct Implementations<'a> {
    pub(super) modules: &'a Modules,
    pub(super) public: BTreeMap<Definition, String>,
}

impl Implementations<'_> {
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut found = Vec::new();
        for (at, module) in self.modules.iter() {
            for item in &module.items {
                if let Item::Impl(block) = item {
                    found.extend(self.of_block(at, module, block));
                }
            }
        }
        found
    }

    fn of_block(&self, at: &[String], module: &Module, block: &ItemImpl) -> Vec<Piece> {
        let features: Features = module.features.union(&features_of(&block.attrs)).cloned().collect();
        let of = self.path_of(at, &block.self_ty);
        let Some((path, _)) = &block.trait_ else {
            let Some(of) = of else { return Vec::new() };
            return methods(&of, module, block, &features);
        };
        let trait_path = self.path_at(at, path);
        let is_ours = trait_path.is_none() && self.modules.resolve(at, &segments(path)).is_some();
        // A trait that nobody can name says nothing to anybody.
        let of = of.or(trait_path).or_else(|| self.path_of_arguments(at, path)).filter(|_| !is_ours);
        of.map(|of| implementation(&of, module, block, &features)).into_iter().collect()
    }

    /// The name of a public type.
    fn path_of(&self, at: &[String], of: &Type) -> Option<String> {
        match of {
            Type::Path(path) => self.path_at(at, &path.path),
            Type::Reference(reference) => self.path_of(at, &reference.elem),
            _ => None,
        }
    }

    fn path_at(&self, at: &[String], path: &syn::Path) -> Option<String> {
        let found = self.modules.resolve(at, &segments(path))?;
        self.public.get(&(found.module.to_vec(), name_of(found.item)?)).cloned()
    }

    /// That of the first argument of `From<…>` which has one.
    fn path_of_arguments(&self, at: &[String], path: &syn::Path) -> Option<String> {
        let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(of) => self.path_of(at, of),
            _ => None,
        })
    }
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The public ones; what is said of all of them together comes first.
fn methods(of: &str, module: &Module, block: &ItemImpl, features: &Features) -> Vec<Piece> {
    let place = || Place::of(&module.file, &block.self_ty);
    let docs = docs_of(&block.attrs);
    let own = (!docs.is_empty()).then(|| Piece::new(of, Kind::Implementation, String::new(), docs, place()));
    let methods = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) && !is_hidden(&method.attrs) => {
            let path = format!("{of}::{}", method.sig.ident);
            let declared = format!("pub {}", declaration_of(&method.sig));
            let declared = if block.generics.params.is_empty() {
                declared
            } else {
                format!("{} {{ {declared}; }}", header(block))
            };
            let place = Place::of(&module.file, &method.sig.ident);
            let piece = Piece::new(&path, Kind::Method, declared, docs_of(&method.attrs), place);
            Some(piece.with(features, &method.attrs).with_function(&method.sig, Some(&method.block)))
        }
        _ => None,
    });
    own.into_iter().chain(methods).collect()
}

fn implementation(of: &str, module: &Module, block: &ItemImpl, features: &Features) -> Piece {
    let types = block.items.iter().filter_map(|item| match item {
        ImplItem::Type(item) => Some(spell(&{
            let (name, of) = (&item.ident, &item.ty);
            quote!(type #name = #of;)
        })),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    let types = if types.is_empty() { String::new() } else { format!(" {{ {} }}", types.join(" ")) };
    let place = Place::of(&module.file, &block.self_ty);
    Piece::new(of, Kind::Implementation, header(block) + &types, docs_of(&block.attrs), place).with(features, &[])
}

fn header(block: &ItemImpl) -> String {
    let (generics, clause, of) = (&block.generics, &block.generics.where_clause, &block.self_ty);
    match &block.trait_ {
        Some((path, _)) => spell(&quote!(impl #generics #path for #of #clause)),
        None => spell(&quote!(impl #generics #of #clause)),
    }
}
