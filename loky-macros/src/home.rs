//! The impl block around a method, and what `Self` means in it.
//!
//! The code beside a method stands outside of the block, where `Self` has no meaning: there the type is named in full.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, ImplItem, ItemImpl, Path, Receiver, ReceiverKind, Type, parse_quote};

use crate::expand::moved;

/// See the module.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) generics: Generics,
    pub(crate) trait_: Option<Path>,
    /// The types that the block gives a trait, `type Item = …;`.
    items: Vec<Ident>,
    ty: Type,
}

impl Home {
    pub(crate) fn of(block: &ItemImpl) -> Self {
        Self {
            generics: block.generics.clone(),
            trait_: block.trait_.as_ref().map(|(path, _)| path.clone()),
            items: block.items.iter().filter_map(item).collect(),
            ty: (*block.self_ty).clone(),
        }
    }

    /// The type, without what it is generic over.
    pub(crate) fn name(&self) -> String {
        match &self.ty {
            Type::Path(path) => {
                let segments: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                segments.join("::")
            }
            other => other.to_token_stream().to_string().replace(' ', ""),
        }
    }

    /// How a function of the block is named from outside.
    pub(crate) fn path_of(&self, function: &Ident) -> TokenStream {
        let ty = &self.ty;
        self.trait_.as_ref().map_or_else(|| quote!(<#ty>::#function), |path| quote!(<#ty as #path>::#function))
    }

    /// The type of `self`, `&self` or `self: …`.
    pub(crate) fn type_of(&self, receiver: &Receiver) -> Type {
        let ty = moved(&self.ty.to_token_stream(), receiver.self_token.span());
        match &receiver.kind {
            ReceiverKind::Reference(and, lifetime, mutability) => parse_quote!(#and #lifetime #mutability #ty),
            ReceiverKind::Typed(_, ty) => (**ty).clone(),
            // By value; whatever else there may be one day is refused by the compiler.
            _ => parse_quote!(#ty),
        }
    }

    /// The signature with the type's own name instead of `Self`.
    pub(crate) fn without_self(&self, signature: &syn::Signature) -> syn::Signature {
        self.replace(signature.to_token_stream())
    }

    fn replace<T: syn::parse::Parse>(&self, tokens: TokenStream) -> T {
        let replaced = self.replaced(tokens);
        parse_quote!(#replaced)
    }

    /// `Self` before `::Item`: that is not `Model<T>::Item`, and outside of the block nobody knows whose item it is.
    fn qualified(&self, ty: &TokenStream, span: Span, mut after: impl Iterator<Item = TokenTree>) -> TokenStream {
        let item = after.find(|token| !matches!(token, TokenTree::Punct(_)));
        let is_ours = matches!(&item, Some(TokenTree::Ident(item)) if self.items.contains(item));
        match self.trait_.as_ref().filter(|_| is_ours) {
            Some(path) => quote_spanned!(span=> <#ty as #path>),
            None => quote_spanned!(span=> <#ty>),
        }
    }

    fn replaced(&self, tokens: TokenStream) -> TokenStream {
        let mut tokens = tokens.into_iter().peekable();
        let mut replaced = TokenStream::new();
        while let Some(token) = tokens.next() {
            let is_path = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
            match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), self.replaced(group.stream()));
                    inner.set_span(group.span());
                    replaced.extend([TokenTree::Group(inner)]);
                }
                TokenTree::Ident(word) if word == "Self" => {
                    let ty = moved(&self.ty.to_token_stream(), word.span());
                    replaced.extend(if is_path { self.qualified(&ty, word.span(), tokens.clone()) } else { ty });
                }
                other => replaced.extend([other]),
            }
        }
        replaced
    }
}

fn item(item: &ImplItem) -> Option<Ident> {
    match item {
        ImplItem::Type(item) => Some(item.ident.clone()),
        _ => None,
    }
}
