//! What is captured inside the invocation of another macro, whose tokens mean what that macro wants.
//!
//! Most macros take expressions, and those are walked through like all others. A few are known by name, because their
//! tokens look like expressions and are none. The rest is scanned token by token.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Block, Expr, ExprLit, Lit, LitStr, Macro, Pat, Token};

use super::captures::Search;
use super::{Input, format, scan};

pub(super) fn visit(search: &mut Search, invocation: &Macro) {
    let name = invocation.path.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
    let tokens = &invocation.tokens;
    match name.as_str() {
        constant if CONSTANT.contains(&constant) => {}
        "matches" | "assert_matches" | "debug_assert_matches" => by_pattern(search, tokens, &name),
        "closure" => by_closure(search, tokens),
        "json" => search.scoped(|search| {
            search.bind(&Ident::new("null", Span::call_site()));
            by_shape(search, tokens, &name);
        }),
        _ => by_shape(search, tokens, &name),
    }
}

fn by_pattern(search: &mut Search, tokens: &TokenStream, name: &str) {
    match matched.parse2(tokens.clone()) {
        Ok(matched) => visit_matched(search, &matched, name),
        Err(_) => by_shape(search, tokens, name),
    }
}

/// A closure inside of a closure brings its captures along, found or listed.
fn by_closure(search: &mut Search, tokens: &TokenStream) {
    match syn::parse2::<Input>(tokens.clone()) {
        Ok(Input { list: Some(list), .. }) => scan::visit(search, list),
        Ok(Input { closure, .. }) => search.visit_expr(&closure),
        Err(_) => scan::visit(search, tokens.clone()),
    }
}

/// The first shape that fits.
fn by_shape(search: &mut Search, tokens: &TokenStream, name: &str) {
    if let Ok(arguments) = Arguments::parse_terminated.parse2(tokens.clone()) {
        visit_arguments(search, &arguments, name);
    } else if let Ok((element, count)) = repeated.parse2(tokens.clone()) {
        search.visit_expr(&element);
        search.visit_expr(&count);
    } else if let Ok(matched) = matched.parse2(tokens.clone()) {
        visit_matched(search, &matched, name);
    } else if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
        search.visit_statements(&statements);
    } else {
        scan::visit(search, tokens.clone());
    }
}

/// `a, b, name = c`, as `println!` has them.
type Arguments = Punctuated<Argument, Token![,]>;

struct Argument {
    name: Option<Ident>,
    value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let is_named =
            input.peek(syn::Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
        let name = if is_named { Some(input.parse()?) } else { None };
        if is_named {
            input.parse::<Token![=]>()?;
        }
        Ok(Self { name, value: input.parse()? })
    }
}

fn visit_arguments(search: &mut Search, arguments: &Arguments, name: &str) {
    arguments.iter().for_each(|argument| search.visit_expr(&argument.value));
    let Some(template) = template(arguments, name) else { return };
    let named: Vec<_> = arguments.iter().filter_map(|argument| argument.name.as_ref()).collect();
    for inline in format::names(template).iter().filter(|inline| !named.contains(inline)) {
        search.meet(inline);
    }
}

/// The argument that is a format string, if the macro has one.
fn template<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a LitStr> {
    let before = match name {
        plain if PLAIN.contains(&plain) => return None,
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => 2,
        _ => 0,
    };
    arguments.iter().skip(before).find_map(|argument| text(&argument.value))
}

fn text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// `element; count`, as `vec!` has them.
fn repeated(input: ParseStream<'_>) -> syn::Result<(Expr, Expr)> {
    let element = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok((element, input.parse()?))
}

/// `value, pattern if guard, rest`, as `matches!` has them.
struct Matched {
    value: Expr,
    pattern: Pat,
    guard: Option<Expr>,
    rest: Arguments,
}

fn matched(input: ParseStream<'_>) -> syn::Result<Matched> {
    let value = input.parse()?;
    input.parse::<Token![,]>()?;
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse()).transpose()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Matched { value, pattern, guard, rest: Arguments::parse_terminated(input)? })
}

fn visit_matched(search: &mut Search, matched: &Matched, name: &str) {
    search.visit_expr(&matched.value);
    search.scoped(|search| {
        search.visit_pat(&matched.pattern);
        matched.guard.iter().for_each(|guard| search.visit_expr(guard));
    });
    visit_arguments(search, &matched.rest, name);
}

/// Macros that use no variable, whatever their tokens look like.
const CONSTANT: [&str; 17] = [
    "cfg",
    "column",
    "compile_error",
    "concat",
    "concat_bytes",
    "concat_idents",
    "env",
    "file",
    "include",
    "include_bytes",
    "include_str",
    "line",
    "module_path",
    "offset_of",
    "option_env",
    "stringify",
    "thread_local",
];

/// Macros whose strings are only strings.
const PLAIN: [&str; 5] = ["dbg", "hashmap", "json", "regex", "vec"];
