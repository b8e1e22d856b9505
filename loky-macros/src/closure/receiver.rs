//! `self` in the body of a closure. It is no name that a closure can bind again, so it gets one.

use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, Span, TokenStream, TokenTree};

/// Where a closure uses `self`.
#[derive(Default)]
pub(super) struct Uses {
    /// The first place where it is a value.
    pub(super) first: Option<Ident>,
    /// A format string that names it, where it cannot be renamed.
    pub(super) in_text: Option<Literal>,
}

/// The tokens with another name for `self`, and where it was used.
///
/// In an item inside of the body, `self` is somebody else; in a path, it is a module.
pub(super) fn rename(tokens: TokenStream) -> (TokenStream, Uses) {
    let mut uses = Uses::default();
    let tokens = uses.walk(tokens);
    (tokens, uses)
}

/// What `self` is called instead, in a place where no user's name can be.
pub(super) fn name(word: &Ident) -> Ident {
    Ident::new("receiver", Span::mixed_site().located_at(word.span()))
}

impl Uses {
    fn walk(&mut self, tokens: TokenStream) -> TokenStream {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut inside_item = false;
        let mut written = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            inside_item |= begins_item(&tokens[at..]);
            written.push(if inside_item { token.clone() } else { self.renamed(token, before, tokens.get(at + 1)) });
            inside_item &= !ends_item(token);
        }
        written.into_iter().collect()
    }

    fn renamed(&mut self, token: &TokenTree, before: Option<&TokenTree>, after: Option<&TokenTree>) -> TokenTree {
        match token {
            TokenTree::Group(group) => TokenTree::Group(self.walk_group(group)),
            TokenTree::Ident(word) if word == "self" && !is_module(before, after) => {
                self.first.get_or_insert_with(|| word.clone());
                TokenTree::Ident(name(word))
            }
            TokenTree::Literal(text) if names_it(text) => {
                self.in_text.get_or_insert_with(|| text.clone());
                token.clone()
            }
            other => other.clone(),
        }
    }

    fn walk_group(&mut self, group: &Group) -> Group {
        let mut walked = Group::new(group.delimiter(), self.walk(group.stream()));
        walked.set_span(group.span());
        walked
    }
}

fn names_it(text: &Literal) -> bool {
    let text = text.to_string().replace("{{", "");
    text.contains("{self}") || text.contains("{self:")
}

/// `self::f`, or `f::{self}` in a `use`.
fn is_module(before: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint);
    let is_use = matches!(before, Some(TokenTree::Ident(word)) if word == "use");
    is_use || after.is_some_and(is_colon)
}

fn begins_item(tokens: &[TokenTree]) -> bool {
    match tokens {
        // Without a name, `fn` is a type.
        [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "fn" || word == "mod" => true,
        [TokenTree::Ident(word), ..] => word == "impl" || word == "trait" || word == "use",
        _ => false,
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn renamed(tokens: TokenStream) -> (String, bool) {
        let (tokens, uses) = rename(tokens);
        (tokens.to_string(), uses.first.is_some())
    }

    #[test]
    fn it_is_renamed_wherever_it_is_a_value() {
        let (text, found) = renamed(quote!(|x: i64| vec![self.k; 2].map(|y| { f(self, x..self.n) })));
        let expected = quote!(|x: i64| vec![receiver.k; 2].map(|y| { f(receiver, x..receiver.n) }));
        assert_eq!((text, found), (expected.to_string(), true));
    }

    #[test]
    fn in_items_and_paths_it_is_another() {
        let others = quote! {
            |x: i64| {
                use self::a::{self, b};
                struct S;
                impl S { fn f(&self) -> i64 { self.g() } }
                fn g(f: fn(i64) -> i64) {}
                self::h(x)
            }
        };
        assert_eq!(renamed(others.clone()), (others.to_string(), false));
        assert!(rename(quote!(|| format!("{self:?}"))).1.in_text.is_some());
        assert!(rename(quote!(|| format!("{{self}} {}", "self"))).1.in_text.is_none());
        assert_eq!(
            renamed(quote!({
                fn f(&self) {}
                self.a
            }))
            .0,
            quote!({
                fn f(&self) {}
                receiver.a
            })
            .to_string()
        );
    }
}
