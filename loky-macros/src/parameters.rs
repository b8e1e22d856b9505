//! Which types can pass between processes as an argument or a result, as far as their tokens tell, and what is said of
//! the others.
//!
//! A reference that is a whole parameter is lent in the worker; every other borrow is refused, since nothing in the
//! worker lives long enough to be lent. Tasks and closures share these rules; whose parameters they are is not known
//! here.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, ReturnType, Type, parse_quote};

use crate::mistakes::Mistakes;

/// One parameter; its pattern, if it is more than a name, is known to the function alone.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// What the parameter refers to, if it is a reference.
    pub(crate) lent: Option<Type>,
}

/// Notes the first parameter that is one too many.
pub(crate) fn refuse_many<'a, P: ToTokens + 'a>(parameters: impl IntoIterator<Item = &'a P>, mistakes: &mut Mistakes) {
    if let Some(first) = parameters.into_iter().nth(ARGUMENTS_MAX) {
        let message = format!("there can be at most {ARGUMENTS_MAX} arguments: put some of them into a struct");
        mistakes.note(first, message);
    }
}

impl Parameter {
    /// Reads the type of a parameter and notes everything in it that cannot travel.
    pub(crate) fn check(name: Ident, attributes: &[Attribute], ty: Type, mistakes: &mut Mistakes) -> Self {
        refuse_conditional(attributes, mistakes);
        let lent = referent(&ty, mistakes);
        Self { name, ty, lent }
    }
}

fn refuse_conditional(attributes: &[Attribute], mistakes: &mut Mistakes) {
    let conditional = |attr: &&Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
    for attribute in attributes.iter().filter(conditional) {
        let way = "write the whole function or closure twice, each with its `#[cfg]`";
        mistakes.note(attribute, format!("a parameter cannot be conditional here: {way}"));
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
        mistakes.note(token, format!("what runs in another process cannot change a value of its caller: {way}"));
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

/// What a function returns; what cannot be sent is noted.
pub(crate) fn output(output: &ReturnType, mistakes: &mut Mistakes) -> Type {
    const WHY: &str = "a result comes from another process, where nothing can be borrowed: return the owned type";
    let ReturnType::Type(_, ty) = output else {
        return parse_quote!(());
    };
    match bare(ty) {
        Type::Never(never) => mistakes.note(never, "what runs in another process has a result: leave `-> !` out"),
        _ if word(ty, "impl").is_some() => refuse_contents(ty, WHY, mistakes),
        _ => {
            refuse_contents(ty, WHY, mistakes);
            return (**ty).clone();
        }
    }
    // The path form beside the mistake can name neither of them.
    parse_quote!(())
}

/// Notes what a type must not have in it, wherever it stands. Tokens are enough to see it: neither `&` nor a lifetime
/// nor these words mean anything else in a type.
fn refuse_contents(ty: &Type, why_not_borrowed: &str, mistakes: &mut Mistakes) {
    if is_borrowing(&flat(ty)) {
        mistakes.note(ty, why_not_borrowed);
    } else if word(ty, "impl").is_some() {
        mistakes.note(ty, "`impl Trait` does not say which type travels: write the type");
    }
}

/// Where a type has `sought` in it.
pub(crate) fn word(ty: &Type, sought: &str) -> Option<TokenTree> {
    flat(ty).into_iter().find(|token| matches!(token, TokenTree::Ident(word) if word == sought))
}

/// Whether there is a `&` or a lifetime other than `'static`.
fn is_borrowing(tokens: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, sought: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == sought);
    let is_static = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "static");
    tokens.iter().any(|token| is(token, '&'))
        || tokens.windows(2).any(|pair| is(&pair[0], '\'') && !is_static(&pair[1]))
}

/// All tokens of a type, without the groups that they stand in.
pub(crate) fn flat(ty: &Type) -> Vec<TokenTree> {
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

const ARGUMENTS_MAX: usize = 12;
