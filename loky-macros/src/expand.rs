//! What becomes of a function under the attribute: itself, its path form and its entry. Tokens only; what they call is
//! in the library.
//!
//! A function is emitted as it came, token by token; a generic one gets a mark in its body, and says of its types
//! that they can travel. Everything written here uses absolute paths, and its local names are resolved where the
//! macro is defined, so neither can meet a name of the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::options::Options;
use crate::signature::Signature;
use crate::{entry, instance, path_form};

/// A free function and all that stands beside it.
pub(crate) fn task(function: syn::ItemFn, item: &TokenStream, signature: &Signature, options: &Options) -> TokenStream {
    let path_form = path_form::write(signature, options, &path_form::bodies(signature, options));
    if signature.is_generic() {
        let entry = entry::of_generic(signature, options);
        let mut function = function;
        instance::mark(&mut function.sig.generics, &mut function.block, signature, options);
        quote!(#function #entry #path_form)
    } else {
        let entry = entry::of_function(signature, options);
        quote!(#item #entry #path_form)
    }
}

/// A method, in its place in the impl block, and what stands behind that block.
pub(crate) fn method(method: &mut syn::ImplItemFn, signature: &Signature, options: &Options) -> TokenStream {
    if signature.is_generic() {
        instance::mark(&mut method.sig.generics, &mut method.block, signature, options);
        entry::of_generic(signature, options)
    } else {
        entry::of_function(signature, options)
    }
}

/// What the user knowingly did to the function is not held against the code beside it. Nothing more is allowed than
/// that: an `allow` is an error in a crate that forbids the lint.
pub(crate) fn allow(signature: &Signature) -> TokenStream {
    let deprecated = signature.deprecated.as_ref().map(|_| quote!(#[allow(deprecated)]));
    let many =
        (signature.parameters.len() > CLIPPY_ARGUMENTS_MAX).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote!(#deprecated #many)
}

/// A name that nothing of the user's can meet.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The same tokens at another place: an error is shown where all tokens of an expression stand. Each keeps what it
/// means: a `$crate` is found by what its span remembers.
pub(crate) fn moved(tokens: &TokenStream, place: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// Above this many, clippy's default settings complain.
const CLIPPY_ARGUMENTS_MAX: usize = 7;
