//! What is captured by tokens that are no Rust: those of a macro with a language of its own.
//!
//! Whatever part of them reads as an expression is walked through as one. In what is left, each word is judged by its
//! neighbors, with care not to take for a variable what is none: a capture that is missed has a way out, the list.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Expr, ExprLit, Lit, Macro, Stmt};

use super::captures::Search;
use super::{format, invocation};

pub(super) fn visit(search: &mut Search, tokens: TokenStream) {
    search.scoped(|search| {
        let tokens: Vec<_> = tokens.into_iter().collect();
        // Only the outermost string can be what is formatted: `info!(user = %name, "{k} begins")`.
        let template = pieces(&tokens).find_map(template);
        pieces(&tokens).for_each(|tokens| piece(search, tokens));
        template.iter().flat_map(format::names).for_each(|name| search.meet(&name));
    });
}

/// What stands between commas and semicolons; the parameters of a closure are not taken apart.
fn pieces(tokens: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    let (mut cuts, mut in_bars) = (vec![0], false);
    for (at, token) in tokens.iter().enumerate() {
        in_bars ^= is(token, '|') && (in_bars || begins_a_closure(&tokens[..at]));
        if !in_bars && (is(token, ',') || is(token, ';')) {
            cuts.push(at + 1);
        }
    }
    let ends = cuts.clone().into_iter().skip(1).map(|cut| cut - 1).chain([tokens.len()]);
    cuts.into_iter().zip(ends).map(|(from, to)| &tokens[from..to]).filter(|piece| !piece.is_empty())
}

fn template(piece: &[TokenTree]) -> Option<syn::LitStr> {
    match syn::parse2(stream(piece)) {
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text),
        _ => None,
    }
}

fn piece(search: &mut Search, tokens: &[TokenTree]) {
    if let Ok(value) = syn::parse2::<Expr>(stream(tokens)) {
        search.visit_expr(&value);
    } else if let Some(statement) = binding(tokens) {
        search.visit_stmt(&statement);
    } else if let Some((left, right)) = sides(tokens) {
        match left {
            // A key, or a name for what is right of it.
            [TokenTree::Ident(_)] if is(&tokens[1], ':') => {}
            [TokenTree::Ident(name)] => search.bind(name),
            left => words(search, left),
        }
        right_side(search, right);
    } else {
        words(search, tokens);
    }
}

/// In `name = value => more`, what stands before the arrow is a value.
fn right_side(search: &mut Search, tokens: &[TokenTree]) {
    match sides(tokens) {
        Some((value, more)) if syn::parse2::<Expr>(stream(tokens)).is_err() => {
            words(search, value);
            piece(search, more);
        }
        _ => piece(search, tokens),
    }
}

fn binding(tokens: &[TokenTree]) -> Option<Stmt> {
    let [TokenTree::Ident(first), ..] = tokens else { return None };
    let tokens = stream(tokens);
    (first == "let").then(|| syn::parse2(quote::quote!(#tokens;)).ok()).flatten()
}

/// The two sides of the first `:`, `=` or `=>`.
fn sides(tokens: &[TokenTree]) -> Option<(&[TokenTree], &[TokenTree])> {
    (1..tokens.len()).find_map(|at| {
        let (left, right) = tokens.split_at(at);
        let is_free = !matches!(left.last(), Some(TokenTree::Punct(before)) if before.spacing() == Spacing::Joint);
        let right = match right {
            [sign, right @ ..] if is_alone(sign, ':') || is_alone(sign, '=') => right,
            [first, second, right @ ..] if is(first, '=') && is(second, '>') => right,
            _ => return None,
        };
        is_free.then_some((left, right))
    })
}

/// Token after token.
fn words(search: &mut Search, tokens: &[TokenTree]) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let (before, after) = (&tokens[..at], &tokens[at + 1..]);
        at += 1;
        match token {
            TokenTree::Group(group) => group_inside(search, group.stream()),
            TokenTree::Ident(_) if is_macro(after) => {
                if let Ok(inner) = syn::parse2::<Macro>(stream(&tokens[at - 1..at + 2])) {
                    invocation::visit(search, &inner);
                }
                at += 2;
            }
            TokenTree::Ident(word) if word == "for" => {
                at += bind_until(search, after, |token| matches!(token, TokenTree::Ident(word) if word == "in"))
            }
            TokenTree::Punct(_) if is(token, '|') && begins_a_closure(before) => {
                at += bind_until(search, after, |token| is(token, '|'));
            }
            TokenTree::Ident(word) if ends_with(before, "->") => search.bind(word),
            TokenTree::Ident(word) if is_a_value(before, after) => search.meet(word),
            _ => {}
        }
    }
}

fn group_inside(search: &mut Search, tokens: TokenStream) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    search.scoped(|search| pieces(&tokens).for_each(|tokens| piece(search, tokens)));
}

/// `name ! (…)`.
fn is_macro(after: &[TokenTree]) -> bool {
    matches!(after, [sign, TokenTree::Group(_), ..] if is(sign, '!'))
}

/// Binds every word up to the end, and says how many tokens that were; none, if there is no end.
fn bind_until(search: &mut Search, tokens: &[TokenTree], is_end: impl Fn(&TokenTree) -> bool) -> usize {
    let Some(end) = tokens.iter().position(is_end) else { return 0 };
    bind_all(search, stream(&tokens[..end]));
    end + 1
}

fn bind_all(search: &mut Search, tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => search.bind(&name),
            TokenTree::Group(group) => bind_all(search, group.stream()),
            _ => {}
        }
    }
}

/// After a value, `|` is an operator.
fn begins_a_closure(before: &[TokenTree]) -> bool {
    match before.last() {
        None | Some(TokenTree::Punct(_)) => true,
        Some(TokenTree::Ident(word)) => ["move", "async", "return", "else"].iter().any(|keyword| word == keyword),
        Some(_) => false,
    }
}

/// Whether a word between these neighbors can be a variable: no field, no part of a path, no function that is called.
fn is_a_value(before: &[TokenTree], after: &[TokenTree]) -> bool {
    let is_field = ends_with(before, ".") && !ends_with(before, "..");
    let is_special = ends_with(before, "::") || ["'", "$", "#", "@"].iter().any(|sign| ends_with(before, sign));
    let is_type = matches!(before.last(), Some(TokenTree::Ident(word)) if word == "as");
    let is_called = matches!(after, [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Parenthesis);
    let is_path = matches!(after, [first, second, ..] if is(first, ':') && is(second, ':'));
    !(is_field || is_special || is_type || is_called || is_path)
}

fn ends_with(before: &[TokenTree], signs: &str) -> bool {
    before.len() >= signs.len()
        && before[before.len() - signs.len()..].iter().zip(signs.chars()).all(|(token, sign)| is(token, sign))
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_alone(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign && punct.spacing() == Spacing::Alone)
}

fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}
