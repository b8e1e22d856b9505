//! What a generic task needs more than another: a mark in its body, by which its instances are found, and bounds by
//! which its types can travel.
//!
//! Whoever wrote the function need not say that `T` can be serialized; being a task says it. So the bounds are added
//! to the function itself, which makes no difference to any call that could be spawned.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Block, GenericParam, Generics, Type, TypeParamBound, WherePredicate, parse_quote};

use crate::entry;
use crate::options::Options;
use crate::parameters::{Parameter, flat};
use crate::signature::Signature;

/// Puts the mark before everything else in the body. The rest becomes a block of its own, so that no item in it can
/// take a name away from the mark.
pub(crate) fn mark(generics: &mut Generics, body: &mut Block, signature: &Signature, options: &Options) {
    // The bounds of a trait's method are the trait's.
    if !signature.is_of_a_trait() {
        require(generics, bounds(signature, options));
    }
    let (instance, rest) = (instance(signature, options), &body.stmts);
    *body = parse_quote!({ #instance { #(#rest)* } });
}

/// The function's generics, with the bounds by which its types can travel, and by which they have identities.
pub(crate) fn travelling_generics(signature: &Signature, options: &Options) -> Generics {
    let mut generics = signature.generics.clone();
    if signature.is_generic() {
        require(&mut generics, bounds(signature, options));
        let types: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
        require(&mut generics, types.iter().map(|ty| Bound { ty: parse_quote!(#ty), bound: parse_quote!('static) }));
    }
    generics
}

/// What has to hold of a type.
struct Bound {
    ty: Type,
    bound: TypeParamBound,
}

/// Adds bounds where the user has put those of the same parameter, if there are any: in two places, linters complain.
fn require(generics: &mut Generics, bounds: impl IntoIterator<Item = Bound>) {
    for Bound { ty, bound } in bounds {
        let name = ty.to_token_stream().to_string();
        let parameter =
            generics.type_params_mut().find(|parameter| parameter.ident == name && !parameter.bounds.is_empty());
        match parameter {
            Some(parameter) => parameter.bounds.push(bound),
            None => generics.make_where_clause().predicates.push(parse_quote!(#ty: #bound)),
        }
    }
}

/// A type with the function's parameters, which knows the entry of an instance.
fn instance(signature: &Signature, options: &Options) -> TokenStream {
    let krate = &options.krate;
    let mut generics = signature.all_generics();
    require(&mut generics, bounds(signature, options));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let declared = generics.params.iter().filter_map(declared);
    let names: Vec<_> = signature.arguments_of_generics().collect();
    let types = generics.type_params().map(|parameter| &parameter.ident);
    let entry = entry::function(signature, options);
    quote! {
        {
            struct __LokyInstance<#(#declared),*>(#(::core::marker::PhantomData<#types>),*);

            impl #impl_generics #krate::private::Instance for __LokyInstance<#(#names),*> #where_clause {
                fn entry() -> &'static #krate::private::Entry {
                    const { &#entry }
                }
            }

            #krate::private::mark::<__LokyInstance<#(#names),*>>();
        }
    }
}

/// A parameter as a type declares it; a lifetime is none of its affair.
fn declared(parameter: &GenericParam) -> Option<TokenStream> {
    match parameter {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(parameter) => {
            let ident = &parameter.ident;
            Some(quote!(#ident: ?::core::marker::Sized))
        }
        GenericParam::Const(parameter) => {
            let (ident, ty) = (&parameter.ident, &parameter.ty);
            Some(quote!(const #ident: #ty))
        }
    }
}

/// What has to hold of the types in the signature that have a parameter in them.
fn bounds(signature: &Signature, options: &Options) -> Vec<Bound> {
    let krate = &options.krate;
    let names: Vec<_> = signature.arguments_of_generics().map(ToString::to_string).collect();
    let is_open = |ty: &Type| flat(ty).iter().any(|token| names.contains(&token.to_string()));
    let arguments = signature.parameters.iter().filter(|parameter| is_open(&parameter.ty));
    let arguments = arguments.flat_map(|parameter| bounds_of(parameter, signature, options));
    let ty = &signature.output;
    let output = is_open(ty).then(|| Bound { ty: ty.clone(), bound: parse_quote!(#krate::private::Returned) });
    let mut seen = HashSet::new();
    let is_new = |Bound { ty, bound }: &Bound| seen.insert(quote!(#ty: #bound).to_string());
    arguments.chain(output).filter(is_new).collect()
}

fn bounds_of(parameter: &Parameter, signature: &Signature, options: &Options) -> Vec<Bound> {
    let krate = &options.krate;
    let argument = |ty: Type| Bound { ty, bound: parse_quote!(#krate::private::Argument) };
    match &parameter.lent {
        Some(Type::Slice(slice)) => vec![argument((*slice.elem).clone())],
        Some(lent) if may_be_unsized(lent, &signature.all_generics()) => vec![
            Bound { ty: lent.clone(), bound: parse_quote!(::std::borrow::ToOwned) },
            Bound { ty: lent.clone(), bound: parse_quote!(#krate::private::Serialize) },
            argument(parse_quote!(<#lent as ::std::borrow::ToOwned>::Owned)),
        ],
        lent => vec![argument(lent.as_ref().unwrap_or(&parameter.ty).clone())],
    }
}

/// Whether the type is a parameter that is said to be `?Sized`.
fn may_be_unsized(ty: &Type, generics: &Generics) -> bool {
    let is_maybe = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if bound.to_token_stream().to_string().starts_with('?'));
    let name = ty.to_token_stream().to_string();
    let declared =
        generics.type_params().any(|parameter| parameter.ident == name && parameter.bounds.iter().any(is_maybe));
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    declared
        || predicates.into_iter().any(|predicate| {
            matches!(predicate, WherePredicate::Type(predicate)
                if predicate.bounded_ty.to_token_stream().to_string() == name && predicate.bounds.iter().any(is_maybe))
        })
}
