//! `loky::closure!`: what may be written, what it captures, and the code that it becomes.
//!
//! The closure stays as it is written, token by token. The names that it captures are encoded where it stands and bound
//! again where it runs, around the closure; so whatever a name means in it, it means the same there.

mod captures;
mod expand;
mod format;
mod invocation;
mod receiver;
mod result;
mod scan;
#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprClosure, Pat, ReturnType, Token, Type, bracketed};

use crate::mistakes::Mistakes;
use crate::parameters::{self, Parameter};
use receiver::Uses;

/// The code that a closure becomes: of `$crate ; [list] |…| …`.
pub(crate) fn write(tokens: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    match Checked::check(tokens, &mut mistakes) {
        Some((krate, checked)) if mistakes.are_none() => expand::closure(&krate, &checked),
        _ => {
            // In one block, so that several errors stand where one value does.
            let errors = mistakes.into_tokens();
            quote::quote!({ #errors })
        }
    }
}

/// What is written inside of the macro.
struct Input {
    /// What stands in the brackets, if there are brackets.
    list: Option<TokenStream>,
    closure: Expr,
    /// The tokens of the closure.
    tokens: TokenStream,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let list = if input.peek(syn::token::Bracket) {
            let inside;
            bracketed!(inside in input);
            Some(inside.parse()?)
        } else {
            None
        };
        let mut tokens: Vec<TokenTree> = input.fork().parse::<TokenStream>()?.into_iter().collect();
        if input.is_empty() {
            return Err(syn::Error::new(Span::call_site(), format!("there is no closure: {FORM}")));
        }
        let closure = input.parse()?;
        if input.parse::<Option<Token![,]>>()?.is_some() {
            tokens.pop();
        }
        if !input.is_empty() && is_closure(&closure) {
            return Err(input.error("nothing can follow the closure"));
        }
        // Whatever else it is, that is what is wrong.
        input.parse::<TokenStream>()?;
        Ok(Self { list, closure, tokens: tokens.into_iter().collect() })
    }
}

/// A closure that can be sent, as far as its tokens tell.
struct Checked {
    parameters: Vec<Parameter>,
    captures: Vec<Ident>,
    /// The closure as the user wrote it, but for `self`.
    closure: TokenStream,
    /// Where its body begins.
    body: Span,
    is_async: bool,
}

impl Checked {
    /// Notes all that is wrong; what cannot be read at all is no closure.
    fn check(tokens: TokenStream, mistakes: &mut Mistakes) -> Option<(TokenStream, Self)> {
        let (krate, input) = read.parse2(tokens).map_err(|error| mistakes.note_error(error)).ok()?;
        let Expr::Closure(closure) = bare(&input.closure) else {
            mistakes.note(&input.closure, format!("this is not a closure: {FORM}"));
            return None;
        };
        let (renamed, uses) = receiver::rename(input.tokens);
        let captures = match &input.list {
            Some(list) => listed(list, mistakes),
            None => found(closure, &uses),
        };
        refuse_lost_self(&captures, &uses, mistakes);
        let parameters = parameters(closure, mistakes);
        if let ReturnType::Type(..) = closure.output {
            parameters::output(&closure.output, mistakes);
        } else {
            result::refuse_borrowed(&closure.body, mistakes);
        }
        Some((
            krate,
            Self {
                parameters,
                captures,
                closure: renamed,
                body: closure.body.span(),
                is_async: closure.asyncness.is_some(),
            },
        ))
    }
}

/// `$crate`, which the macro before this one has put there, and what its user has written.
fn read(input: ParseStream<'_>) -> syn::Result<(TokenStream, Input)> {
    let mut krate = TokenStream::new();
    while !input.peek(Token![;]) {
        krate.extend([input.parse::<TokenTree>()?]);
    }
    input.parse::<Token![;]>()?;
    if input.is_empty() {
        return Err(syn::Error::new(Span::call_site(), format!("`loky::closure!` is empty: {FORM}")));
    }
    Ok((krate, input.parse()?))
}

fn found(closure: &ExprClosure, uses: &Uses) -> Vec<Ident> {
    let mut captures = captures::find(closure);
    captures.extend(uses.first.clone());
    captures
}

/// The names of a list, each once.
fn listed(list: &TokenStream, mistakes: &mut Mistakes) -> Vec<Ident> {
    let mut names: Vec<Ident> = Vec::new();
    let entries = match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(list.clone()) {
        Ok(entries) => entries,
        Err(error) => {
            let form = "a list of captures has names only, with commas between them: `[k, unit]`";
            mistakes.note_error(syn::Error::new(error.span(), form));
            return names;
        }
    };
    for entry in entries {
        match name(&entry) {
            Some(name) if names.contains(&name) => mistakes.note(name, "this is captured twice: leave one out"),
            Some(name) => names.push(name),
            None => {
                let way = "give the value a name before the closure, `let name = …;`, and list that";
                mistakes.note(entry, format!("a list of captures has names only: {way}"));
            }
        }
    }
    names
}

fn name(entry: &Expr) -> Option<Ident> {
    match entry {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => path.path.get_ident().cloned(),
        _ => None,
    }
}

/// `self` that would stay behind.
fn refuse_lost_self(captures: &[Ident], uses: &Uses, mistakes: &mut Mistakes) {
    if let Some(text) = &uses.in_text {
        let way = "write `{}` there, and give `self` to the macro as an argument";
        mistakes.note(text, format!("`self` cannot be captured by name inside of a string: {way}"));
    }
    if let Some(first) = uses.first.as_ref().filter(|_| !captures.iter().any(|name| name == "self")) {
        let way = "list it, `closure!([self, …] |…| …)`, or leave the list out";
        mistakes.note(first, format!("`self` is not in the list of captures: {way}"));
    }
}

fn parameters(closure: &ExprClosure, mistakes: &mut Mistakes) -> Vec<Parameter> {
    parameters::refuse_many(&closure.inputs, mistakes);
    closure.inputs.iter().filter_map(|input| parameter(input, mistakes)).collect()
}

fn parameter(input: &Pat, mistakes: &mut Mistakes) -> Option<Parameter> {
    let Pat::Type(typed) = input else {
        let example = if let Pat::Ident(_) = input { "i64" } else { "(i64, i64)" };
        let way = format!("write it, `{}: {example}`", input.to_token_stream());
        mistakes.note(input, format!("the type of an argument decides how it travels: {way}"));
        return None;
    };
    if let Some(word) = parameters::word(&typed.ty, "_") {
        mistakes.note(word, "the type of an argument decides how it travels: write it out, without `_`");
    }
    refuse_lifetime(&typed.ty, mistakes);
    Some(Parameter::check(quote::format_ident!("argument"), &typed.attrs, (*typed.ty).clone(), mistakes))
}

/// An argument is lent for the call alone, which no name outside of the closure can say.
fn refuse_lifetime(ty: &Type, mistakes: &mut Mistakes) {
    if let Type::Reference(reference) = ty {
        let named = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident != "static" && lifetime.ident != "_");
        if let Some(lifetime) = named {
            mistakes
                .note(lifetime, format!("an argument is lent for the duration of the call: leave `{lifetime}` out"));
        }
    }
}

fn is_closure(value: &Expr) -> bool {
    matches!(bare(value), Expr::Closure(_))
}

/// The expression without parentheses and without the invisible ones that a `macro_rules` puts around it.
fn bare(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => bare(&group.expr),
        Expr::Paren(paren) => bare(&paren.expr),
        other => other,
    }
}

const FORM: &str =
    "write `loky::closure!(|x: i64| x + 1)`, or with a list of its captures, `loky::closure!([k] |x: i64| x + k)`";
