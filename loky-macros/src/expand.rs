//! The code that stands beside a task: its path form and its entry. Tokens only; what they call is in the library.
//!
//! The function is emitted as it came, token by token. Everything written here uses absolute paths, and its local names
//! are resolved where the macro is defined, so neither can meet a name of the user's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Type, VisRestricted, Visibility};

use crate::options::Options;
use crate::parameters::Parameter;
use crate::signature::Signature;

/// The function and all that stands beside it.
pub(crate) fn task(item: &TokenStream, signature: &Signature, options: &Options) -> TokenStream {
    let path_form = path_form(signature, options, &bodies(signature, options));
    let entry = entry(signature, options);
    quote!(#item #entry #path_form)
}

/// What the three functions of the path form do.
pub(crate) struct Bodies {
    pub(crate) spawn: TokenStream,
    pub(crate) run: TokenStream,
    pub(crate) bind: TokenStream,
}

fn bodies(signature: &Signature, options: &Options) -> Bodies {
    let Signature { ident, parameters, .. } = signature;
    let krate = &options.krate;
    let private = quote!(#krate::private);
    // Parameters are out of its sight, whatever they are called.
    let writer = Ident::new("writer", Span::call_site());
    let names: Vec<_> = parameters.iter().map(local_name).collect();
    let returns = returns(signature, &private);
    let writes = parameters.iter().map(|parameter| {
        let (name, passage) = (local_name(parameter), passage(parameter, &private));
        let argument = if parameter.lent.is_some() { quote!(#name) } else { quote!(&#name) };
        quote!(#passage.write(#writer, #argument);)
    });
    Bodies {
        spawn: quote!(#returns.spawn(Self::bind(#(#names),*))),
        run: quote!(#returns.run(Self::bind(#(#names),*))),
        bind: quote!(#private::bind(#ident, |#writer| { #(#writes)* })),
    }
}

/// A type of the function's name, which lives beside it because types and functions have namespaces of their own.
///
/// Its fields are private and its name is written as the macro's own, so that no lint of the user's looks at it.
pub(crate) fn path_form(signature: &Signature, options: &Options, bodies: &Bodies) -> TokenStream {
    let Signature { cfgs, deprecated, generics, parameters, output, .. } = signature;
    let krate = &options.krate;
    let (vis, name) = (vis_of_the_macro(&signature.vis), of_the_macro(&signature.ident));
    let doc = format!("The path form of the task `{}`.", signature.ident);
    let allow = allow(signature);
    let where_clause = &generics.where_clause;
    let names: Vec<_> = parameters.iter().map(local_name).collect();
    let types = parameters.iter().map(|parameter| &parameter.ty);
    let Bodies { spawn, run, bind } = bodies;
    let takes = quote!(#generics (#(#names: #types),*));
    // They are said to be defined where the function is: the compiler points there when a call is wrong.
    let [spawn_name, run_name, bind_name] = ["spawn", "run", "bind"].map(|method| Ident::new(method, name.span()));
    quote! {
        #[doc = #doc]
        #(#cfgs)*
        #deprecated
        #vis struct #name { _private: () }

        #(#cfgs)*
        #allow
        impl #name {
            /// Starts a call in a worker process of the pool and returns its handle, which also carries every error.
            #vis fn #spawn_name #takes -> #krate::JoinHandle<#output> #where_clause {
                #spawn
            }

            /// Runs a call in a worker process and waits for its result.
            ///
            /// # Errors
            ///
            /// Whatever kept the call from having a result.
            #vis fn #run_name #takes -> ::core::result::Result<#output, #krate::Error> #where_clause {
                #run
            }

            /// Describes a call without starting it: the place for options such as a timeout.
            #vis fn #bind_name #takes -> #krate::Call<#output> #where_clause {
                #bind
            }
        }
    }
}

/// The static record, handed to the registry before `main`.
fn entry(signature: &Signature, options: &Options) -> TokenStream {
    let Signature { ident, cfgs, .. } = signature;
    let krate = &options.krate;
    let private = quote!(#krate::private);
    let name = format!("::{}", syn::ext::IdentExt::unraw(ident));
    let run = run(signature, &private);
    let allow = allow(signature);
    let chosen = chosen(options);
    quote! {
        #(#cfgs)*
        #allow
        const _: () = {
            #private::inventory::submit! {
                #private::Entry::new(
                    ::core::concat!(::core::module_path!(), #name),
                    || #private::type_id_of(#ident),
                    #run,
                )
                .at(::core::file!(), ::core::line!(), ::core::column!())
                .of_version(#private::version(::core::option_env!("CARGO_PKG_VERSION")))
                #chosen
            }
        };
    }
}

/// Bytes in, bytes out.
fn run(signature: &Signature, private: &TokenStream) -> TokenStream {
    let Signature { ident, parameters, .. } = signature;
    let (arguments, result, reader) = (local("arguments"), local("result"), local("reader"));
    let (reads, passed) = received(parameters, &reader, private);
    let returns = returns(signature, private);
    quote! {
        |#arguments, #result| #returns.answer(#arguments, #result, |#reader| {
            #reads
            ::core::result::Result::Ok(#ident(#(#passed),*))
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

/// How a parameter passes. It stands at its type, so that a type that cannot travel is reported there.
fn passage(parameter: &Parameter, private: &TokenStream) -> TokenStream {
    let ty = parameter.lent.as_ref().unwrap_or(&parameter.ty);
    let (span, private) = at(ty, private);
    match &parameter.lent {
        Some(lent) => quote_spanned!(span=> #private::Lent::<#lent,>::NEW.passage()),
        None => quote_spanned!(span=> #private::owned::<#ty,>()),
    }
}

/// How the result passes, likewise.
fn returns(signature: &Signature, private: &TokenStream) -> TokenStream {
    let output = &signature.output;
    let (span, private) = at(output, private);
    quote_spanned!(span=> #private::returns::<#output,>())
}

/// A span that stands where the type does and is the macro's own, and the path of the library there: an error is shown
/// where all tokens of an expression stand.
fn at(ty: &Type, private: &TokenStream) -> (Span, TokenStream) {
    let span = Span::call_site().located_at(ty.span());
    (span, moved(private, span))
}

/// The same tokens at another place. Each keeps what it means: a `$crate` is found by what its span remembers.
pub(crate) fn moved(tokens: &TokenStream, place: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

fn chosen(options: &Options) -> TokenStream {
    let name = options.name.as_ref().map(|name| quote!(.named(#name)));
    let timeout = options.timeout.map(|limit| {
        let (seconds, nanoseconds) = (limit.as_secs(), limit.subsec_nanos());
        quote!(.timeout(::core::time::Duration::new(#seconds, #nanoseconds)))
    });
    let retries = options.retries.map(|retries| quote!(.retries(#retries)));
    quote!(#name #timeout #retries)
}

/// What the user knowingly did to the function is not held against the code beside it. Nothing more is allowed than
/// that: an `allow` is an error in a crate that forbids the lint.
fn allow(signature: &Signature) -> TokenStream {
    let deprecated = signature.deprecated.as_ref().map(|_| quote!(#[allow(deprecated)]));
    let many =
        (signature.parameters.len() > CLIPPY_ARGUMENTS_MAX).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote!(#deprecated #many)
}

/// The parameter's name, visible to nothing but what is written here: a parameter may have the name of its function.
fn local_name(parameter: &Parameter) -> Ident {
    let mut name = parameter.name.clone();
    name.set_span(Span::mixed_site().located_at(name.span()));
    name
}

pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The same name at the same place, but written by the macro: lints leave it alone.
fn of_the_macro(ident: &Ident) -> Ident {
    let mut name = ident.clone();
    name.set_span(Span::call_site().located_at(ident.span()));
    name
}

/// An item has the span of its first token, so the visibility decides, too, who is said to have written it.
fn vis_of_the_macro(vis: &Visibility) -> Visibility {
    let mut vis = vis.clone();
    if let Visibility::Public(token) | Visibility::Restricted(VisRestricted { pub_token: token, .. }) = &mut vis {
        token.span = Span::call_site().located_at(token.span);
    }
    vis
}

/// Above this many, clippy's default settings complain.
const CLIPPY_ARGUMENTS_MAX: usize = 7;
