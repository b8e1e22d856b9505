//! What the library's own `macro_rules!` write, for a reader of sources that has no compiler: enough of how the compiler
//! does it for macros that write items.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Item, Macro};

use crate::source::Source;

/// All macros of some sources, by their names.
#[derive(Default)]
pub(super) struct Macros(BTreeMap<String, Vec<Arm>>);

struct Arm {
    pattern: Vec<TokenTree>,
    body: TokenStream,
}

/// What the variables of a pattern stand for.
type Bound = BTreeMap<String, Bind>;

#[derive(Clone)]
enum Bind {
    One(TokenStream),
    /// Of a variable that is repeated, what it stands for each time.
    Many(Vec<Self>),
}

impl Macros {
    pub(super) fn of(sources: &[Source]) -> Self {
        let items = sources.iter().flat_map(|source| &source.file.items);
        let all = items.filter_map(|item| match item {
            Item::Macro(item) => Some((item.ident.as_ref()?.to_string(), arms(item.mac.tokens.clone()))),
            _ => None,
        });
        Self(all.collect())
    }

    /// The items that the macro writes; none if it is nobody's here, or writes something else.
    pub(super) fn expand(&self, call: &Macro) -> Vec<Item> {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let input: Vec<_> = call.tokens.clone().into_iter().collect();
        let arms = self.0.get(&name).map(Vec::as_slice).unwrap_or_default();
        let written = arms.iter().find_map(|arm| match take(&arm.pattern, &input)? {
            (bound, []) => Some(transcribe(arm.body.clone(), &bound)),
            _ => None,
        });
        let file = written.and_then(|written| syn::parse2::<syn::File>(written).ok());
        let items = file.map(|file| file.items).unwrap_or_default();
        items.into_iter().flat_map(|item| self.expand_item(item)).collect()
    }

    /// The item itself, or what is written in its place.
    pub(super) fn expand_item(&self, item: Item) -> Vec<Item> {
        match &item {
            Item::Macro(call) if call.ident.is_none() => self.expand(&call.mac),
            _ => vec![item],
        }
    }
}

/// `(pattern) => { body }`, one after the other.
fn arms(tokens: TokenStream) -> Vec<Arm> {
    let groups = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    });
    let groups: Vec<_> = groups.collect();
    let arm = |pair: &[TokenStream]| Arm { pattern: pair[0].clone().into_iter().collect(), body: pair[1].clone() };
    groups.chunks_exact(2).map(arm).collect()
}

/// What the pattern takes from the beginning of the input, and what it leaves.
fn take<'a>(pattern: &[TokenTree], mut input: &'a [TokenTree]) -> Option<(Bound, &'a [TokenTree])> {
    let (mut bound, mut pattern) = (Bound::new(), pattern);
    while let [first, ..] = pattern {
        if let Some((repeated, separator, left)) = repetition(pattern) {
            let found;
            (found, input) = take_repeated(&repeated, separator.as_ref(), input);
            bound.extend(found);
            pattern = left;
        } else if let Some((name, [_, TokenTree::Ident(kind), left @ ..])) = variable(pattern) {
            let found;
            (found, input) = fragment(&kind.to_string(), input)?;
            bound.insert(name, Bind::One(found));
            pattern = left;
        } else {
            let (token, left) = input.split_first()?;
            bound.extend(take_one(first, token)?);
            (input, pattern) = (left, &pattern[1..]);
        }
    }
    Some((bound, input))
}

fn take_one(pattern: &TokenTree, token: &TokenTree) -> Option<Bound> {
    match (pattern, token) {
        (TokenTree::Group(pattern), TokenTree::Group(group)) if pattern.delimiter() == group.delimiter() => {
            let (pattern, input): (Vec<_>, Vec<_>) =
                (pattern.stream().into_iter().collect(), group.stream().into_iter().collect());
            take(&pattern, &input).filter(|(_, left)| left.is_empty()).map(|(bound, _)| bound)
        }
        _ => (pattern.to_string() == token.to_string()).then(Bound::new),
    }
}

fn take_repeated<'a>(
    pattern: &[TokenTree],
    separator: Option<&TokenTree>,
    mut input: &'a [TokenTree],
) -> (Bound, &'a [TokenTree]) {
    let mut rounds: Vec<Bound> = Vec::new();
    loop {
        let rest = match (separator, rounds.is_empty()) {
            (Some(separator), false) => match input.split_first() {
                Some((token, left)) if token.to_string() == separator.to_string() => left,
                _ => break,
            },
            _ => input,
        };
        match take(pattern, rest) {
            Some((bound, left)) if left.len() < rest.len() => {
                rounds.push(bound);
                input = left;
            }
            _ => break,
        }
    }
    let names = variables(pattern).into_iter().map(|name| {
        let each = rounds.iter().map(|round| round[&name].clone()).collect();
        (name, Bind::Many(each))
    });
    (names.collect(), input)
}

/// `$( … ) , *` at the beginning: what is repeated, what stands between, and what follows.
fn repetition(tokens: &[TokenTree]) -> Option<(Vec<TokenTree>, Option<TokenTree>, &[TokenTree])> {
    let [dollar, TokenTree::Group(group), left @ ..] = tokens else { return None };
    if !is_punct(dollar, '$') || group.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let is_operator = |token: &TokenTree| ['*', '+', '?'].iter().any(|&operator| is_punct(token, operator));
    let repeated = group.stream().into_iter().collect();
    match left {
        [operator, left @ ..] if is_operator(operator) => Some((repeated, None, left)),
        [separator, operator, left @ ..] if is_operator(operator) => Some((repeated, Some(separator.clone()), left)),
        _ => None,
    }
}

/// `$name` at the beginning, and what follows.
fn variable(tokens: &[TokenTree]) -> Option<(String, &[TokenTree])> {
    match tokens {
        [dollar, TokenTree::Ident(name), left @ ..] if is_punct(dollar, '$') => Some((name.to_string(), left)),
        _ => None,
    }
}

/// The names behind a `$`, at any depth.
fn variables(tokens: &[TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                found.extend(variables(&group.stream().into_iter().collect::<Vec<_>>()));
            }
            TokenTree::Ident(name) if at > 0 && is_punct(&tokens[at - 1], '$') => found.push(name.to_string()),
            _ => {}
        }
    }
    found
}

fn fragment<'a>(kind: &str, input: &'a [TokenTree]) -> Option<(TokenStream, &'a [TokenTree])> {
    if kind != "ty" {
        let (token, left) = input.split_first()?;
        return Some((token.clone().into(), left));
    }
    let parser = |stream: ParseStream<'_>| Ok((stream.parse::<syn::Type>()?, stream.parse::<TokenStream>()?));
    let (found, left) = parser.parse2(input.iter().cloned().collect()).ok()?;
    let left = left.into_iter().count();
    Some((quote::quote!(#found), &input[input.len() - left..]))
}

fn transcribe(body: TokenStream, bound: &Bound) -> TokenStream {
    let body: Vec<_> = body.into_iter().collect();
    let (mut out, mut rest) = (TokenStream::new(), body.as_slice());
    while let [first, left @ ..] = rest {
        if let Some((repeated, separator, left)) = repetition(rest) {
            out.extend(transcribe_repeated(&repeated, separator.as_ref(), bound));
            rest = left;
        } else if let Some((name, left)) = variable(rest) {
            match bound.get(&name) {
                Some(Bind::One(found)) => out.extend(found.clone()),
                // `$crate`: the sources are read as those of that crate.
                _ => out.extend([rest[1].clone()]),
            }
            rest = left;
        } else {
            out.extend([match first {
                TokenTree::Group(group) => Group::new(group.delimiter(), transcribe(group.stream(), bound)).into(),
                other => other.clone(),
            }]);
            rest = left;
        }
    }
    out
}

fn transcribe_repeated(repeated: &[TokenTree], separator: Option<&TokenTree>, bound: &Bound) -> TokenStream {
    let names = variables(repeated);
    let rounds = names.iter().find_map(|name| match bound.get(name)? {
        Bind::Many(each) => Some(each.len()),
        Bind::One(_) => None,
    });
    let mut out = TokenStream::new();
    for round in 0..rounds.unwrap_or(0) {
        let of_round = |(name, bind): (&String, &Bind)| match bind {
            Bind::Many(each) => Some((name.clone(), each.get(round)?.clone())),
            Bind::One(_) => Some((name.clone(), bind.clone())),
        };
        let bound = bound.iter().filter_map(of_round).collect();
        out.extend(separator.filter(|_| round > 0).cloned());
        out.extend(transcribe(repeated.iter().cloned().collect(), &bound));
    }
    out
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

mod tests {
    use quote::ToTokens;

    use super::Macros;
    use crate::source::Source;

    fn written(text: &str) -> Vec<String> {
        let source = Source::parse("loky/src/a.rs", text);
        let macros = Macros::of(std::slice::from_ref(&source));
        let items = source.file.items.clone().into_iter().flat_map(|item| macros.expand_item(item));
        items.map(|item| item.to_token_stream().to_string()).filter(|item| !item.contains("macro_rules")).collect()
    }

    #[test]
    fn variables_and_repetitions_are_written() {
        let text =
            "macro_rules! m { ($T:ident $(, $A:ident $a:ident)*) => { fn $T($($a: $A),*) {} } } m!(f, A a, B b);";
        assert_eq!(written(text), ["fn f (a : A , b : B) { }"]);
        let text = "macro_rules! m { ($($T:ty),*) => {$( impl From<$T> for S {} )*} } m!(Vec<u8>, &'static str);";
        assert_eq!(written(text).len(), 2);
    }

    #[test]
    fn a_macro_may_write_another() {
        let text = "macro_rules! each { (from 0, $row:ident) => { $row!(0); each!(from 1, $row); }; (from 1, $row:ident) => { $row!(1, A a); }; }
            macro_rules! f { ($n:literal $(, $A:ident $a:ident)*) => { struct S<$($A),*>([u8; $n]); } } each!(from 0, f);";
        assert_eq!(written(text), ["struct S ([u8 ; 0]) ;", "struct S < A > ([u8 ; 1]) ;"]);
    }

    #[test]
    fn a_foreign_macro_writes_nothing() {
        assert!(written("thread_local!(static A: u8 = 1);").is_empty());
    }
}
