//! The code that a closure becomes. Tokens only; what they call is in the library.
//!
//! Where the closure stands, its captures are encoded. The glue around it reads and binds them again in the worker; it
//! captures nothing itself, so its type alone says what to run. Local names are resolved where the macro is defined
//! and can meet none of the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{Checked, receiver};
use crate::entry::received;
use crate::expand::{local, moved};

pub(super) fn closure(krate: &TokenStream, checked: &Checked) -> TokenStream {
    let private = quote!(#krate::private);
    let types = checked.parameters.iter().map(|parameter| &parameter.ty);
    let arity = checked.parameters.len();
    let (place, captures) = (place(&private), captures(checked, &private));
    let (runs, glue) = (runs(checked), glue(checked, &private));
    quote!(#private::closure::<fn(#(#types),*), #arity, _, _>(#place, #captures).#runs(#glue))
}

/// A type that nobody else has, and which knows where it stands.
fn place(private: &TokenStream) -> TokenStream {
    quote!({
        struct Place;

        impl #private::Named for Place {
            const NAME: &'static str = ::core::concat!(
                ::core::module_path!(), "::closure@", ::core::file!(), ":", ::core::line!(), ":", ::core::column!()
            );
            const PLACE: (&'static str, u32, u32) = (::core::file!(), ::core::line!(), ::core::column!());
            const VERSION: &'static str = #private::version(::core::option_env!("CARGO_PKG_VERSION"));
        }

        Place
    })
}

/// Each capture at its name, so that one that cannot travel is reported there.
fn captures(checked: &Checked, private: &TokenStream) -> TokenStream {
    if checked.captures.is_empty() {
        return quote!(#private::captures());
    }
    let caught = checked.captures.iter().map(|name| {
        let span = Span::call_site().located_at(name.span());
        let (private, text) = (moved(private, span), name.unraw().to_string());
        quote_spanned!(span=> .and(#private::probe(#text, &#name).caught(), || #private::passing()))
    });
    quote!({
        use #private::CaptureFunction as _;
        #private::captures() #(#caught)*
    })
}

/// What is wrong with the result, or with a capture that was missed, is reported at the closure.
fn runs(checked: &Checked) -> Ident {
    let first = checked.closure.clone().into_iter().next();
    let span = first.map_or_else(Span::call_site, |token| token.span());
    Ident::new("runs", Span::call_site().located_at(span))
}

/// In the worker: reads the arguments and calls the closure among its captures.
fn glue(checked: &Checked, private: &TokenStream) -> TokenStream {
    let (reader, function) = (local("reader"), local("function"));
    let captures = checked.captures.iter().fold(quote!(()), |others, name| {
        let name = if name == "self" { receiver::name(name) } else { name.clone() };
        quote!((#others, #name))
    });
    let (reads, passed) = received(&checked.parameters, &reader, private);
    let closure = &checked.closure;
    quote! {
        move |#captures, #reader| {
            #reads
            let #function = #closure;
            ::core::result::Result::Ok(#private::settle(#function(#(#passed),*)))
        }
    }
}
