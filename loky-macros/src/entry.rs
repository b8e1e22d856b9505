//! The static record of a task: its name, its place, and how its function is run on bytes.
//!
//! No decision is taken here: how a parameter passes, how a future is settled and how a result is encoded is the
//! library's business. Each of those stands at the user's own tokens, so that what cannot travel is reported there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::expand::{allow, local, moved};
use crate::options::Options;
use crate::parameters::Parameter;
use crate::signature::Signature;

/// Hands the entry of a function to the registry, before `main`.
pub(crate) fn of_function(signature: &Signature, options: &Options) -> TokenStream {
    submit(signature, options, &function(signature, options))
}

/// Hands the name of a generic function to the registry; its instances have entries of their own.
pub(crate) fn of_generic(signature: &Signature, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let name = name(signature);
    submit(signature, options, &finish(&quote!(#krate::private::Entry::generic(#name)), options))
}

/// The expression that is the entry of a function.
pub(crate) fn function(signature: &Signature, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let (name, path, run) = (name(signature), signature.path(), run(signature, options));
    finish(&quote!(#krate::private::Entry::new(#name, || #krate::private::type_id_of(#path), #run)), options)
}

/// How a parameter passes. It stands at its type.
pub(crate) fn passage(parameter: &Parameter, private: &TokenStream) -> TokenStream {
    let ty = parameter.lent.as_ref().unwrap_or(&parameter.ty);
    let (span, private) = at(ty, private);
    match &parameter.lent {
        Some(lent) => quote_spanned!(span=> #private::Lent::<#lent,>::NEW.passage()),
        None => quote_spanned!(span=> #private::owned::<#ty,>()),
    }
}

/// How the result passes, likewise.
pub(crate) fn returns(signature: &Signature, private: &TokenStream) -> TokenStream {
    let output = &signature.output;
    let (span, private) = at(output, private);
    quote_spanned!(span=> #private::returns::<#output,>())
}

fn submit(signature: &Signature, options: &Options, entry: &TokenStream) -> TokenStream {
    let (cfgs, allow, krate) = (&signature.cfgs, allow(signature), &options.krate);
    quote! {
        #(#cfgs)*
        #allow
        const _: () = {
            #krate::private::inventory::submit! { #entry }
        };
    }
}

fn name(signature: &Signature) -> TokenStream {
    let name = format!("::{}", signature.name());
    quote!(::core::concat!(::core::module_path!(), #name))
}

/// Where it stands, and what the user chose.
fn finish(entry: &TokenStream, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let name = options.name.as_ref().map(|name| quote!(.named(#name)));
    let timeout = options.timeout.map(|limit| {
        let (seconds, nanoseconds) = (limit.as_secs(), limit.subsec_nanos());
        quote!(.timeout(::core::time::Duration::new(#seconds, #nanoseconds)))
    });
    let retries = options.retries.map(|retries| quote!(.retries(#retries)));
    quote! {
        #entry
            .at(::core::file!(), ::core::line!(), ::core::column!())
            .of_version(#krate::private::version(::core::option_env!("CARGO_PKG_VERSION")))
            #name #timeout #retries
    }
}

/// Bytes in, bytes out.
fn run(signature: &Signature, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let private = quote!(#krate::private);
    let (arguments, result, reader) = (local("arguments"), local("result"), local("reader"));
    let (reads, passed) = received(&signature.parameters, &reader, &private);
    let path = signature.path();
    let mut call = quote!(#path(#(#passed),*));
    if signature.is_async {
        call = quote!(#private::finish(#call));
    }
    let returns = returns(signature, &private);
    quote! {
        |#arguments, #result| #returns.answer(#arguments, #result, |#reader| {
            #reads
            ::core::result::Result::Ok(#call)
        })
    }
}

/// The statements that read all arguments from `reader`, and what the function is given for each.
pub(crate) fn received(
    parameters: &[Parameter],
    reader: &Ident,
    private: &TokenStream,
) -> (TokenStream, Vec<TokenStream>) {
    let names: Vec<_> = (0..parameters.len()).map(|index| local(&format!("argument{index}"))).collect();
    let passages: Vec<_> = parameters.iter().map(|parameter| passage(parameter, private)).collect();
    let passed =
        parameters.iter().zip(&names).zip(&passages).map(|((parameter, name), passage)| match parameter.lent {
            Some(_) => quote!(#passage.lend(&#name)),
            None => quote!(#name),
        });
    let reads = quote!(#(let #names = #passages.read(#reader)?;)* #reader.finish()?;);
    (reads, passed.collect())
}

/// A span that stands where the type does and is the macro's own, and the path of the library there.
fn at(ty: &Type, private: &TokenStream) -> (Span, TokenStream) {
    let span = Span::call_site().located_at(ty.span());
    (span, moved(private, span))
}
