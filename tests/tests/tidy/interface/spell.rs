//! Tokens as a line of Rust, spaced as people do it.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens on one line, without commas at the end of a list.
pub(super) fn spell(tokens: &impl ToTokens) -> String {
    let mut words = Vec::new();
    split(tokens.to_token_stream(), &mut words);
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        let is_at_the_end = word == "," && [")", ">", "]", "", "{"].contains(&next);
        if !is_at_the_end {
            out.push_str(word);
        }
        if !next.is_empty() && is_spaced(word, next) {
            out.push(' ');
        }
    }
    out
}

/// Signs of several characters are one word, and so are lifetimes.
fn split(tokens: TokenStream, words: &mut Vec<String>) {
    let mut is_joined = false;
    for token in tokens {
        let was_joined = std::mem::replace(&mut is_joined, false);
        let mut push = |word: String| match words.last_mut() {
            Some(last) if was_joined => last.push_str(&word),
            _ => words.push(word),
        };
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.extend((!open.is_empty()).then(|| open.to_owned()));
                split(group.stream(), words);
                words.extend((!close.is_empty()).then(|| close.to_owned()));
            }
            TokenTree::Punct(punct) => {
                push(punct.as_char().to_string());
                // `<` and `>` stand beside other signs without being one with them.
                is_joined =
                    punct.spacing() == Spacing::Joint && matches!(punct.as_char(), ':' | '-' | '=' | '.' | '\'');
            }
            other => push(other.to_string()),
        }
    }
}

fn is_spaced(word: &str, next: &str) -> bool {
    let is_name = word.ends_with(|last: char| last.is_alphanumeric() || last == '_') && !word.starts_with('\'');
    match (word, next) {
        (_, "," | ";" | ":" | ")" | "]" | ">" | "::" | ".") => false,
        ("(" | "[" | "<" | "::" | "&" | "!" | "." | "#" | "?", _) => false,
        (_, "!") => false,
        ("mut" | "dyn" | "where" | "as" | "in", "(" | "[" | "<") | ("for", "(") => true,
        (">", "(") => false,
        (_, "(" | "<") => !is_name,
        _ => true,
    }
}

mod tests {
    use super::spell;

    #[test]
    fn it_reads_as_it_is_written() {
        for line in [
            "impl<R: DeserializeOwned> JoinHandle<R> { pub fn join(self) -> Result<R, Error>; }",
            "pub fn f<'a, T: ?Sized + 'a>(&'a mut self, x: &[T; 3]) -> (u8, <T as X>::Y) where T: Fn(u8) -> u8",
            "impl<C> PartialEq<[C]> for Shared<C>",
            "#[derive(Clone, Debug)] pub struct A<const N: usize>",
            "pub fn g(f: impl Fn(usize) -> Vec<(String, String)> + Send + 'static) -> impl Iterator<Item = A> + use<T>",
        ] {
            assert_eq!(spell(&line.parse::<proc_macro2::TokenStream>().expect("tokens")), line);
        }
    }

    #[test]
    fn a_comma_at_the_end_is_not_written() {
        let tokens: proc_macro2::TokenStream = "fn f(a: A, b: B<C, D,>,) where A: X, { }".parse().expect("tokens");
        assert_eq!(spell(&tokens), "fn f(a: A, b: B<C, D>) where A: X { }");
    }
}
