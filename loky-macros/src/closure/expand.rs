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

/// The call is one piece with the glue: both stand at the body, and so does what is wrong with it.
fn runs(checked: &Checked) -> Ident {
    Ident::new("runs", Span::call_site().located_at(checked.body))
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
    // What is wrong with the result, or was missed, is reported where the body stands. The two names of `settled` are
    // found alike, so that the compiler believes that they are of one piece.
    let place = Span::call_site().located_at(checked.body);
    let settled = quote_spanned!(place=> settle(result));
    // Moved, a closure that changes what it captures needs no `mut`; what an `async` one gives may borrow from it.
    let called = if checked.is_async { quote!(#function) } else { quote!({ #function }) };
    let body = quote! {
        #reads
        let #function = #closure;
        ::core::result::Result::Ok({
            use #private::settle;
            let result = #called(#(#passed),*);
            #settled
        })
    };
    quote_spanned!(place=> move |#captures, #reader| { #body })
}
