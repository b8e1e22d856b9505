//! What the function takes and gives, and what is refused, each with the span of the culprit and a way out.
//!
//! Which types can travel is known to `parameters`. What this file accepts, `expand` can write.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, GenericParam, Generics, ItemFn, Pat, ReturnType, Safety, Type, Visibility};

use crate::home::Home;
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
    pub(crate) is_async: bool,
    /// The impl block that the function stands in, if it was read as a part of one.
    home: Option<Home>,
    /// Whether a type of the function's name can stand beside it: not inside of an impl block.
    pub(crate) can_have_path_form: bool,
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
    /// Reads the signature of a function that stands in `home`, or nowhere, and notes everything in it that a task
    /// cannot have.
    pub(crate) fn check(
        attrs: &[Attribute],
        vis: &Visibility,
        sig: &syn::Signature,
        home: Option<&Home>,
        mistakes: &mut Mistakes,
    ) -> Self {
        refuse_qualifiers(sig, mistakes);
        if home.is_none() {
            refuse_name(&sig.ident, mistakes);
        }
        let sig = &home.map_or_else(|| sig.clone(), |home| home.without_self(sig));
        let attributes =
            |name: &str| attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect::<Vec<_>>();
        let signature = Self {
            vis: vis.clone(),
            ident: sig.ident.clone(),
            cfgs: attributes("cfg"),
            deprecated: attributes("deprecated").pop(),
            generics: sig.generics.clone(),
            parameters: parameters(sig, home, mistakes),
            output: result(&sig.output, mistakes),
            is_async: sig.asyncness.is_some(),
            home: home.cloned(),
            can_have_path_form: home.is_none() && is_free(sig) && hidden_by(&sig.ident).is_none(),
        };
        if let Some(token) = sig.constness.as_ref().filter(|_| signature.is_generic()) {
            let way = "leave `const` out, or write a generic `fn` that calls it, and make that the task";
            mistakes.note(token, format!("a generic `const fn` cannot be a task: {way}"));
        }
        signature
    }

    /// What the function is called in its module.
    pub(crate) fn name(&self) -> String {
        let ident = self.ident.unraw();
        self.home.as_ref().map_or_else(|| ident.to_string(), |home| format!("{}::{ident}", home.name()))
    }

    /// How the function, or the instance of a generic one, is named in an expression.
    pub(crate) fn path(&self) -> TokenStream {
        let ident = &self.ident;
        let function = self.home.as_ref().map_or_else(|| quote!(#ident), |home| home.path_of(ident));
        let arguments: Vec<_> = arguments_of(&self.generics).collect();
        if arguments.is_empty() { function } else { quote!(#function::<#(#arguments),*>) }
    }

    /// Whether the function is one of many, each with types or constants of its own.
    pub(crate) fn is_generic(&self) -> bool {
        self.arguments_of_generics().next().is_some()
    }

    /// Names that stand for a type or a constant, those of the impl block included.
    pub(crate) fn arguments_of_generics(&self) -> impl Iterator<Item = &Ident> {
        self.home.iter().flat_map(|home| arguments_of(&home.generics)).chain(arguments_of(&self.generics))
    }

    /// The generics of the impl block and of the function as one.
    pub(crate) fn all_generics(&self) -> Generics {
        let mut all = self.home.as_ref().map_or_else(Generics::default, |home| home.generics.clone());
        // Lifetimes come first in any list of generics.
        let (lifetimes, others): (Vec<_>, Vec<_>) = all
            .params
            .iter()
            .chain(&self.generics.params)
            .cloned()
            .partition(|parameter| matches!(parameter, GenericParam::Lifetime(_)));
        all.params = lifetimes.into_iter().chain(others).collect();
        if let Some(clause) = &self.generics.where_clause {
            all.make_where_clause().predicates.extend(clause.predicates.clone());
        }
        all
    }

    /// Whether the function is the implementation of a trait's.
    pub(crate) fn is_of_a_trait(&self) -> bool {
        self.home.as_ref().is_some_and(|home| home.trait_.is_some())
    }
}

/// What stands between the angle brackets to name an instance; lifetimes are inferred.
fn arguments_of(generics: &Generics) -> impl Iterator<Item = &Ident> {
    generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(parameter) => Some(&parameter.ident),
        GenericParam::Const(parameter) => Some(&parameter.ident),
    })
}

/// Takes the attribute away where it stands a second time, and says whether it did.
pub(crate) fn refuse_second(attributes: &mut Vec<Attribute>, mistakes: &mut Mistakes) -> bool {
    let is_ours = |attribute: &Attribute| {
        let path = attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>();
        path == ["loky", "task"] || path == ["task"]
    };
    let (second, others): (Vec<_>, Vec<_>) = attributes.drain(..).partition(is_ours);
    *attributes = others;
    second
        .iter()
        .for_each(|attribute| mistakes.note(attribute, "this is a task already: leave one of the attributes out"));
    !second.is_empty()
}

fn refuse_qualifiers(sig: &syn::Signature, mistakes: &mut Mistakes) {
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

/// The path form is a type of the function's name, and a type hides a primitive one or a crate of its name.
fn refuse_name(ident: &Ident, mistakes: &mut Mistakes) {
    if let Some(what) = hidden_by(ident) {
        mistakes
            .note(ident, format!("a task cannot be named `{ident}`: its path form would hide the {what} of this name"));
    }
}

fn hidden_by(ident: &Ident) -> Option<&'static str> {
    match ident {
        ident if ident == "loky" => Some("crate"),
        ident if PRIMITIVES.iter().any(|primitive| ident == primitive) => Some("type"),
        _ => None,
    }
}

/// Whether nothing in the signature belongs to an impl block.
fn is_free(sig: &syn::Signature) -> bool {
    let types = sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    let output = match &sig.output {
        ReturnType::Type(_, ty) => Some(&**ty),
        ReturnType::Default => None,
    };
    sig.receiver().is_none() && types.chain(output).all(|ty| parameters::word(ty, "Self").is_none())
}

fn parameters(sig: &syn::Signature, home: Option<&Home>, mistakes: &mut Mistakes) -> Vec<Parameter> {
    parameters::refuse_many(&sig.inputs, mistakes);
    let names: Vec<_> = sig.inputs.iter().map(name_in_pattern).collect();
    let inputs = sig.inputs.iter().enumerate();
    inputs.filter_map(|(index, input)| parameter(input, name_for(&names, index), home, mistakes)).collect()
}

fn parameter(input: &FnArg, name: Ident, home: Option<&Home>, mistakes: &mut Mistakes) -> Option<Parameter> {
    let (attributes, ty) = match (input, home) {
        (FnArg::Typed(typed), _) => (&typed.attrs, (*typed.ty).clone()),
        (FnArg::Receiver(receiver), Some(home)) => (&receiver.attrs, home.type_of(receiver)),
        (FnArg::Receiver(receiver), None) => {
            mistakes.note(receiver, format!("a method is a task {IF_ITS_BLOCK}"));
            return None;
        }
    };
    refuse_self(&ty, mistakes);
    Some(Parameter::check(name, attributes, ty, mistakes))
}

fn result(output: &ReturnType, mistakes: &mut Mistakes) -> Type {
    let ty = parameters::output(output, mistakes);
    refuse_self(&ty, mistakes);
    ty
}

/// What knows its impl block has no `Self` left in it.
fn refuse_self(ty: &Type, mistakes: &mut Mistakes) {
    if let Some(word) = parameters::word(ty, "Self") {
        mistakes.note(word, format!("an associated function is a task {IF_ITS_BLOCK}"));
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
    let is_new = |name: &&Ident| !names[..index].iter().flatten().any(|before| before == name);
    names[index].filter(is_new).cloned().unwrap_or_else(|| {
        let mut name = format_ident!("arg{index}");
        while names.iter().flatten().any(|taken| **taken == name) {
            name = format_ident!("{name}_");
        }
        name
    })
}

const IF_ITS_BLOCK: &str = "if its impl block says so: put `#[loky::tasks]` on the block";

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];
