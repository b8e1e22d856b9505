//! What the function takes and gives, and what is refused, each with the span of the culprit and a way out.
//!
//! A reference that is a whole parameter is lent in the worker; every other borrow is refused, since nothing in the
//! worker lives long enough to be lent. What this file accepts, `expand` can write.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, GenericParam, Generics, ItemFn, Pat, ReturnType, Safety, Type, Visibility, parse_quote};

use crate::home::Home;
use crate::mistakes::Mistakes;

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
    pub(crate) is_const: bool,
    /// The impl block that the function stands in, if it was read as a part of one.
    home: Option<Home>,
}

/// One parameter; its pattern, if it is more than a name, is known to the function alone.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// What the parameter refers to, if it is a reference.
    pub(crate) lent: Option<Type>,
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
    /// Reads the signature of a function that stands in `home`, or nowhere, and notes everything in it that a task cannot
    /// have.
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
        Self {
            vis: vis.clone(),
            ident: sig.ident.clone(),
            cfgs: attributes("cfg"),
            deprecated: attributes("deprecated").pop(),
            generics: sig.generics.clone(),
            parameters: parameters(sig, home, mistakes),
            output: output(&sig.output, mistakes),
            is_async: sig.asyncness.is_some(),
            is_const: sig.constness.is_some(),
            home: home.cloned(),
        }
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

/// The path form is a type of the function's name, and a type hides a primitive one of its name.
fn refuse_name(ident: &Ident, mistakes: &mut Mistakes) {
    if PRIMITIVES.iter().any(|primitive| ident == primitive) {
        mistakes
            .note(ident, format!("a task cannot be named `{ident}`: its path form would hide the type of this name"));
    }
}

fn parameters(sig: &syn::Signature, home: Option<&Home>, mistakes: &mut Mistakes) -> Vec<Parameter> {
    if let Some(first) = sig.inputs.iter().nth(ARGUMENTS_MAX) {
        let message = format!("a task takes at most {ARGUMENTS_MAX} arguments: put some of them into a struct");
        mistakes.note(first, message);
    }
    let names: Vec<_> = sig.inputs.iter().map(name_in_pattern).collect();
    let inputs = sig.inputs.iter().enumerate();
    inputs.filter_map(|(index, input)| parameter(input, name_for(&names, index), home, mistakes)).collect()
}

fn parameter(input: &FnArg, name: Ident, home: Option<&Home>, mistakes: &mut Mistakes) -> Option<Parameter> {
    let (attributes, ty) = match (input, home) {
        (FnArg::Typed(typed), _) => (&typed.attrs, (*typed.ty).clone()),
        (FnArg::Receiver(receiver), Some(home)) => (&receiver.attrs, home.type_of(receiver)),
        (FnArg::Receiver(receiver), None) => {
            mistakes.note(receiver, "a method is a task if its impl block says so: put `#[loky::tasks]` on the block");
            return None;
        }
    };
    refuse_conditional(attributes, mistakes);
    let lent = referent(&ty, mistakes);
    Some(Parameter { name, ty, lent })
}

fn refuse_conditional(attributes: &[Attribute], mistakes: &mut Mistakes) {
    let conditional = |attr: &&Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
    for attribute in attributes.iter().filter(conditional) {
        mistakes.note(
            attribute,
            "a parameter of a task cannot be conditional: write two functions, each with its `#[cfg]`",
        );
    }
}

/// What the parameter refers to, if it is a reference; what cannot be lent or sent is noted.
fn referent(ty: &Type, mistakes: &mut Mistakes) -> Option<Type> {
    const WHY: &str = "only a whole argument can be borrowed: take the owned type";
    let Type::Reference(reference) = bare(ty) else {
        refuse_contents(ty, WHY, mistakes);
        return None;
    };
    if let Some(token) = &reference.mutability {
        let way = "take the value and return it";
        mistakes.note(token, format!("a task runs in another process and cannot change a value of its caller: {way}"));
    }
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
        let way = "leave `'static` out, or take the owned type";
        mistakes.note(lifetime, format!("an argument is lent for the duration of the call: {way}"));
    }
    match bare(&reference.elem) {
        Type::TraitObject(object) => {
            mistakes.note(object, "a `dyn Trait` cannot travel to another process: write the type");
        }
        elem => refuse_contents(elem, WHY, mistakes),
    }
    Some((*reference.elem).clone())
}

fn output(output: &ReturnType, mistakes: &mut Mistakes) -> Type {
    const WHY: &str = "a result comes from another process, where nothing can be borrowed: return the owned type";
    let ReturnType::Type(_, ty) = output else {
        return parse_quote!(());
    };
    match bare(ty) {
        Type::Never(never) => mistakes.note(never, "a task has a result: leave `-> !` out"),
        Type::ImplTrait(_) => refuse_contents(ty, WHY, mistakes),
        _ => {
            refuse_contents(ty, WHY, mistakes);
            return (**ty).clone();
        }
    }
    // The path form beside the mistake can name neither of them.
    parse_quote!(())
}

/// Notes what a type must not have in it, wherever it stands. Tokens are enough to see it: neither `&` nor a lifetime nor
/// these words mean anything else in a type.
fn refuse_contents(ty: &Type, why_not_borrowed: &str, mistakes: &mut Mistakes) {
    let tokens = tokens_of(ty);
    let word = |sought: &str| tokens.iter().find(|token| matches!(token, TokenTree::Ident(word) if word == sought));
    if is_borrowing(&tokens) {
        mistakes.note(ty, why_not_borrowed);
    } else if word("impl").is_some() {
        mistakes.note(ty, "`impl Trait` does not say which type travels: write the type");
    } else if let Some(word) = word("Self") {
        mistakes.note(
            word,
            "an associated function is a task if its impl block says so: put `#[loky::tasks]` on the block",
        );
    }
}

/// Whether there is a `&` or a lifetime other than `'static`.
fn is_borrowing(tokens: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, sought: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sought);
    let is_static = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "static");
    tokens.iter().any(|token| is(token, '&'))
        || tokens.windows(2).any(|pair| is(&pair[0], '\'') && !is_static(&pair[1]))
}

/// All tokens of a type, without the groups that they stand in.
pub(crate) fn tokens_of(ty: &Type) -> Vec<TokenTree> {
    let mut tokens = Vec::new();
    flatten(ty.to_token_stream(), &mut tokens);
    tokens
}

fn flatten(tokens: TokenStream, into: &mut Vec<TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flatten(group.stream(), into),
            other => into.push(other),
        }
    }
}

/// The type without parentheses and without the invisible ones that a `macro_rules` puts around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
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

const ARGUMENTS_MAX: usize = 12;

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];
