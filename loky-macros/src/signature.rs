//! What the function takes and gives, and what is refused, each with the span of the culprit and a way out.
//!
//! Which types can travel is known to `parameters`. What this file accepts, `expand` can write.

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::{Attribute, FnArg, GenericParam, Generics, ItemFn, Pat, ReturnType, Safety, Type, Visibility};

use crate::mistakes::Mistakes;
use crate::parameters::{self, Parameter};

/// The function under the attribute, as far as the code beside it has to know it.
pub(crate) struct Signature {
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    /// `#[cfg(…)]` of the function: what stands beside it appears and disappears with it.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) generics: Generics,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Type,
    pub(crate) is_method: bool,
}

/// The function that `item` is; otherwise what it is instead is noted.
pub(crate) fn parse(item: &TokenStream, mistakes: &mut Mistakes) -> Option<ItemFn> {
    let function = syn::parse2::<ItemFn>(item.clone());
    function.map_err(|error| mistakes.note_error(not_a_function(item, error))).ok()
}

fn not_a_function(item: &TokenStream, error: syn::Error) -> syn::Error {
    match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Fn(_)) | Err(_) => error,
        Ok(other) => syn::Error::new_spanned(other, "`#[loky::task]` goes on a function with a body"),
    }
}

impl Signature {
    /// Reads the signature and notes everything in it that a task cannot have.
    pub(crate) fn check(function: &ItemFn, mistakes: &mut Mistakes) -> Self {
        let ItemFn { attrs, vis, sig, .. } = function;
        refuse_qualifiers(sig, mistakes);
        refuse_generics(&sig.generics, mistakes);
        refuse_name(&sig.ident, mistakes);
        let attributes =
            |name: &str| attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect::<Vec<_>>();
        Self {
            vis: vis.clone(),
            ident: sig.ident.clone(),
            cfgs: attributes("cfg"),
            deprecated: attributes("deprecated").pop(),
            generics: sig.generics.clone(),
            parameters: parameters(sig, mistakes),
            output: result(&sig.output, mistakes),
            is_method: sig.receiver().is_some(),
        }
    }
}

fn refuse_qualifiers(sig: &syn::Signature, mistakes: &mut Mistakes) {
    if let Some(token) = &sig.asyncness {
        let way = "write a plain `fn` that blocks on the future, and make that the task";
        mistakes.note(token, format!("an `async fn` cannot be a task yet: {way}"));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        let way = "write a safe `fn` that calls it and keeps its promises, and make that the task";
        mistakes.note(token, format!("an `unsafe fn` cannot be a task: {way}"));
    }
    if let Some(abi) = &sig.abi {
        let way = "write a plain `fn` that calls it, and make that the task";
        mistakes.note(abi, format!("an `extern` function cannot be a task: {way}"));
    }
    if let Some(dots) = &sig.variadic {
        mistakes.note(dots, "a task cannot be variadic: take a `Vec` or a slice");
    }
}

fn refuse_generics(generics: &Generics, mistakes: &mut Mistakes) {
    for parameter in &generics.params {
        let what = match parameter {
            GenericParam::Lifetime(_) => continue,
            GenericParam::Type(_) => "generic functions cannot be tasks yet",
            GenericParam::Const(_) => "functions with const parameters cannot be tasks yet",
        };
        let way = "for each instance that you need, write a `fn` that calls it, and make that the task";
        mistakes.note(parameter, format!("{what}: {way}"));
    }
}

/// The path form is a type of the function's name, and a type hides a primitive one of its name.
fn refuse_name(ident: &Ident, mistakes: &mut Mistakes) {
    if PRIMITIVES.iter().any(|primitive| ident == primitive) {
        mistakes
            .note(ident, format!("a task cannot be named `{ident}`: its path form would hide the type of this name"));
    }
}

fn parameters(sig: &syn::Signature, mistakes: &mut Mistakes) -> Vec<Parameter> {
    parameters::refuse_many(&sig.inputs, mistakes);
    let names: Vec<_> = sig.inputs.iter().map(name_in_pattern).collect();
    let inputs = sig.inputs.iter().enumerate();
    inputs.filter_map(|(index, input)| parameter(input, name_for(&names, index), mistakes)).collect()
}

fn parameter(input: &FnArg, name: Ident, mistakes: &mut Mistakes) -> Option<Parameter> {
    match input {
        FnArg::Receiver(receiver) => {
            let way = "write a free function that takes the value, `fn predict(model: &Model)`, and make that the task";
            mistakes.note(receiver, format!("a method cannot be a task yet: {way}"));
            None
        }
        FnArg::Typed(typed) => {
            refuse_self(&typed.ty, mistakes);
            Some(Parameter::check(name, typed, mistakes))
        }
    }
}

fn result(output: &ReturnType, mistakes: &mut Mistakes) -> Type {
    let ty = parameters::output(output, mistakes);
    refuse_self(&ty, mistakes);
    ty
}

fn refuse_self(ty: &Type, mistakes: &mut Mistakes) {
    if let Some(word) = parameters::word(ty, "Self") {
        mistakes.note(word, "an associated function cannot be a task yet: write a free function");
    }
}

fn name_in_pattern(input: &FnArg) -> Option<&Ident> {
    match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// The user's own name where there is one, so that editors show it; else `arg2`, which must not be another's.
fn name_for(names: &[Option<&Ident>], index: usize) -> Ident {
    names[index].cloned().unwrap_or_else(|| {
        let mut name = format_ident!("arg{index}");
        while names.iter().flatten().any(|taken| **taken == name) {
            name = format_ident!("{name}_");
        }
        name
    })
}

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];
