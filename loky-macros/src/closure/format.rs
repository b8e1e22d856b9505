//! The names that a format string uses by itself: `"{k} {cfg:?} {x:>width$} {v:.prec$}"`.

use proc_macro2::Ident;
use syn::LitStr;

/// The names, in order; each stands where the string does.
pub(super) fn names(template: &LitStr) -> Vec<Ident> {
    let text = template.value();
    let words = placeholders(&text).into_iter().flat_map(words).collect::<Vec<_>>();
    words.into_iter().filter_map(|word| name(word, template)).collect()
}

/// What stands in single braces.
fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
        } else if let Some(close) = close(rest) {
            found.push(&rest[..close]);
            rest = &rest[close + 1..];
        }
    }
    found
}

/// Where the brace closes; the sign that fills may be such a brace itself: `{x:}<5}`.
fn close(placeholder: &str) -> Option<usize> {
    let fill = placeholder.find(":}").filter(|at| placeholder[at + 2..].starts_with(['<', '^', '>']));
    let from = match (fill, placeholder.find('}')) {
        (Some(fill), Some(first)) if first == fill + 1 => fill + 2,
        _ => 0,
    };
    placeholder[from..].find('}').map(|at| from + at)
}

/// The name that is shown, and those that the width and the precision are taken from.
fn words(placeholder: &str) -> Vec<&str> {
    let (shown, how) = placeholder.split_once(':').unwrap_or((placeholder, ""));
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let counts = how.match_indices('$').map(|(end, _)| {
        let before = &how[..end];
        let start = before.trim_end_matches(is_word).len();
        // `{x:0width$}`: the zero is a flag, and no name begins with a digit.
        before[start..].trim_start_matches(|letter: char| letter.is_ascii_digit())
    });
    std::iter::once(shown.trim()).chain(counts).collect()
}

/// Positions (`{0}`) and nothing (`{}`) are no names.
fn name(word: &str, template: &LitStr) -> Option<Ident> {
    // A string says `{type}` for `r#type`. The words of paths have no such form.
    let is_keyword = !["self", "Self", "super", "crate", "_"].contains(&word)
        && word.starts_with(|first: char| first.is_alphabetic())
        && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let escaped = || is_keyword.then(|| syn::parse_str::<Ident>(&format!("r#{word}")).ok()).flatten();
    let name = syn::parse_str::<Ident>(word).ok().or_else(escaped);
    name.map(|mut name| {
        name.set_span(template.span());
        name
    })
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn found(template: &str) -> Vec<String> {
        names(&LitStr::new(template, Span::call_site())).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(found("{k} {cfg:?} {{no}} {} {0} {:?} {1:>2$}"), ["k", "cfg"]);
        assert_eq!(
            found("{x:>width$} {v:.prec$} {:0w$.p$} {y:+08.3} {z:#?}"),
            ["x", "width", "v", "prec", "w", "p", "y", "z"]
        );
        assert_eq!(found("{ k } {r#type} {match} {_a}"), ["k", "r#type", "r#match", "_a"]);
    }

    #[test]
    fn signs_that_fill_and_damaged_strings_are_no_names() {
        assert_eq!(found("{x:}<5}{y}"), ["x", "y"]);
        assert_eq!(found("{x:*^w$}{:{>3}"), ["x", "w"]);
        assert_eq!(found("{ {unclosed"), Vec::<String>::new());
        assert_eq!(found("{{{k}}}"), ["k"]);
        assert_eq!(found("{type} {a.b} {a b} {self} {crate} {_} {0} {*}"), ["r#type"]);
    }
}
