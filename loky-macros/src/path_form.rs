//! The path form of a task, `add::spawn(1, 2)`: a type of the function's name, which lives beside it because types and
//! functions have namespaces of their own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{VisRestricted, Visibility};

use crate::entry::{passage, returns};
use crate::expand::allow;
use crate::instance;
use crate::options::Options;
use crate::parameters::Parameter;
use crate::signature::Signature;

/// What the three functions of the path form do.
pub(crate) struct Bodies {
    pub(crate) spawn: TokenStream,
    pub(crate) run: TokenStream,
    pub(crate) bind: TokenStream,
}

pub(crate) fn bodies(signature: &Signature, options: &Options) -> Bodies {
    if signature.is_generic() { by_dot_form(signature, options) } else { by_passages(signature, options) }
}

/// Its fields are private and its name is written as the macro's own, so that no lint of the user's looks at it.
pub(crate) fn write(signature: &Signature, options: &Options, bodies: &Bodies) -> TokenStream {
    let Signature { cfgs, deprecated, parameters, output, .. } = signature;
    let krate = &options.krate;
    let (vis, name) = (vis_of_the_macro(&signature.vis), of_the_macro(&signature.ident));
    let doc = format!("The path form of the task `{}`.", signature.ident);
    let allow = allow(signature);
    let generics = instance::travelling_generics(signature, options);
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

/// Whatever cannot travel has been reported by the entry; nothing here asks again.
fn by_passages(signature: &Signature, options: &Options) -> Bodies {
    let Signature { ident, parameters, .. } = signature;
    let krate = &options.krate;
    let private = quote!(#krate::private);
    // Parameters are out of its sight, whatever they are called.
    let writer = Ident::new("writer", Span::call_site());
    let names: Vec<_> = parameters.iter().map(local_name).collect();
    let returns = returns(signature, &private);
    let writes = parameters.iter().map(|parameter| {
        let (name, passage) = (local_name(parameter), passage(parameter, &private));
        let pass = if parameter.lent.is_some() { quote!(write) } else { quote!(give) };
        quote!(#passage.#pass(#writer, #name);)
    });
    Bodies {
        spawn: quote!(#returns.spawn(Self::bind(#(#names),*))),
        run: quote!(#returns.run(Self::bind(#(#names),*))),
        bind: quote!(#private::bind(#ident, |#writer| { #(#writes)* })),
    }
}

/// The dot form knows how to have an instance compiled, and how to find it.
fn by_dot_form(signature: &Signature, options: &Options) -> Bodies {
    let krate = &options.krate;
    let names: Vec<_> = signature.parameters.iter().map(local_name).collect();
    let (form, path) = (format_ident!("Task{}", names.len()), signature.path());
    let by = |method: &str| {
        let method = Ident::new(method, Span::call_site());
        quote!(#krate::private::#form::#method(&#path, #(#names),*))
    };
    Bodies { spawn: by("spawn"), run: by("run"), bind: by("bind") }
}

/// The parameter's name, visible to nothing but what is written here: a parameter may have the name of its function.
fn local_name(parameter: &Parameter) -> Ident {
    let mut name = parameter.name.clone();
    name.set_span(Span::mixed_site().located_at(name.span()));
    name
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
