//! The options of `#[loky::task(…)]`: what may be written, and what is said when something else is.
//!
//! Values are read here, at compile time, so that a misspelled duration is an error in the editor and not at run time.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Path, Token, parse_quote};

use crate::mistakes::Mistakes;

/// What the user chose; `None` leaves the choice to the library.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: Option<u32>,
    /// Where generated code finds the library.
    pub(crate) krate: Path,
}

impl Options {
    /// Reads every option that can be read, and notes what is wrong with the others.
    pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut options = Self { name: None, timeout: None, retries: None, krate: parse_quote!(::loky) };
        options.read(tokens, mistakes);
        options
    }

    /// Reads what `#[loky::tasks(…)]` may say for all tasks of a block: where the library is.
    pub(crate) fn parse_block(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let options = Self::parse(tokens.clone(), mistakes);
        if options.name.is_some() || options.timeout.is_some() || options.retries.is_some() {
            mistakes
                .note(tokens, "only `crate` is the same for all tasks of a block: the others go on `#[loky::task]`");
        }
        options
    }

    /// The options of one task of a block.
    pub(crate) fn with(&self, tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut options = Self { name: None, timeout: None, retries: None, krate: self.krate.clone() };
        options.read(tokens, mistakes);
        options
    }

    fn read(&mut self, tokens: TokenStream, mistakes: &mut Mistakes) {
        match Punctuated::<Setting, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(settings) => self.take(settings, mistakes),
            Err(error) => mistakes.note_error(error),
        }
    }

    fn take(&mut self, settings: impl IntoIterator<Item = Setting>, mistakes: &mut Mistakes) {
        let mut seen = Vec::new();
        for setting in settings {
            if seen.contains(&setting.key) {
                mistakes.note(&setting.key, format!("`{}` is given twice", setting.key));
            } else if let Err(error) = self.set(&setting) {
                mistakes.note_error(error);
            }
            seen.push(setting.key);
        }
    }

    fn set(&mut self, Setting { key, value }: &Setting) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(name(value)?),
            "timeout" => self.timeout = Some(timeout(value)?),
            "retries" => self.retries = Some(retries(value)?),
            "crate" => self.krate = path(value)?,
            _ => return Err(wrong(key, UNKNOWN)),
        }
        Ok(())
    }
}

const KEYS: [&str; 4] = ["name", "timeout", "retries", "crate"];

const FORM: &str = "an option is a name and a value: `timeout = \"2s\"`";

const UNKNOWN: &str = "unknown option: a task has `name`, `timeout`, `retries` and `crate`";

/// `key = value`, not yet understood.
struct Setting {
    key: Ident,
    value: Expr,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword, and one of the keys.
        let key = input.call(Ident::parse_any).map_err(|error| syn::Error::new(error.span(), FORM))?;
        let sign = input.parse::<Option<Token![=]>>()?;
        if sign.is_none() && !KEYS.iter().any(|known| key == known) {
            return Err(wrong(&key, UNKNOWN));
        }
        if sign.is_none() || input.is_empty() || input.peek(Token![,]) {
            return Err(wrong(&key, format!("`{key}` needs a value: `{key} = …`")));
        }
        Ok(Self { key, value: ungrouped(input.parse()?) })
    }
}

/// A fragment of a `macro_rules` comes in invisible parentheses.
fn ungrouped(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}

fn name(value: &Expr) -> syn::Result<LitStr> {
    let name = text(value, "a name is a string: `name = \"…\"`")?;
    const EMPTY: &str = "a name cannot be empty: leave it out, and the task has the path of its function";
    if name.value().trim().is_empty() { Err(wrong(value, EMPTY)) } else { Ok(name) }
}

fn timeout(value: &Expr) -> syn::Result<Duration> {
    const FORM: &str = "a timeout is a whole number and a unit, `ms`, `s` or `m`: `timeout = \"2s\"`";
    let limit = duration(&text(value, FORM)?.value()).ok_or_else(|| wrong(value, FORM))?;
    const ZERO: &str = "a timeout of zero lets nothing run: leave it out for none";
    if limit.is_zero() { Err(wrong(value, ZERO)) } else { Ok(limit) }
}

fn retries(value: &Expr) -> syn::Result<u32> {
    const FORM: &str = "retries are a whole number of extra attempts: `retries = 3`";
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().map_err(|_| wrong(value, FORM)),
        _ => Err(wrong(value, FORM)),
    }
}

fn path(value: &Expr) -> syn::Result<Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() && path.path.segments.iter().all(|part| part.arguments.is_none()) => {
            Ok(path.path.clone())
        }
        _ => Err(wrong(value, "`crate` is a path: `crate = ::my_crate::loky`")),
    }
}

fn text(value: &Expr, form: &str) -> syn::Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        _ => Err(wrong(value, form)),
    }
}

/// "500ms", "2s", "1m".
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim_start() {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis)
}

fn wrong(culprit: impl quote::ToTokens, message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new_spanned(culprit, message)
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

    use super::*;

    fn read(tokens: TokenStream) -> (Options, Vec<String>) {
        let mut mistakes = Mistakes::default();
        let options = Options::parse(tokens, &mut mistakes);
        (options, mistakes.messages())
    }

    #[test]
    fn nothing_is_chosen_by_default() {
        let (options, mistakes) = read(quote!());
        assert!(
            mistakes.is_empty() && options.name.is_none() && options.timeout.is_none() && options.retries.is_none()
        );
        assert_eq!(options.krate.to_token_stream().to_string(), quote!(::loky).to_string());
    }

    #[test]
    fn every_option_is_read() {
        let (options, mistakes) = read(quote!(name = "sum", timeout = "2s", retries = 3, crate = crate::re::loky,));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(options.name.unwrap().value(), "sum");
        assert_eq!((options.timeout, options.retries), (Some(Duration::from_secs(2)), Some(3)));
        assert_eq!(options.krate.to_token_stream().to_string(), quote!(crate::re::loky).to_string());
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let read = ["500ms", "2s", "2 s", "1m", "0s"].map(|text| duration(text).unwrap().as_millis());
        assert_eq!(read, [500, 2_000, 2_000, 60_000, 0]);
        for text in ["", "2", "s", "2h", "1.5s", "-1s", "2s2s", "99999999999999999999s", "18446744073709551615m"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn every_mistake_is_told_and_the_rest_is_read() {
        let (options, mistakes) = read(quote!(name = "", timeout = 2, retries = -1, color = "red", crate = "x"));
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
        assert!(mistakes[0].contains("empty") && mistakes[1].contains("`ms`, `s` or `m`"));
        assert!(mistakes[2].contains("whole number") && mistakes[3].contains("unknown option"));
        assert!(mistakes[4].contains("is a path") && options.name.is_none());
    }

    #[test]
    fn what_is_no_option_is_told_what_options_are() {
        assert_eq!(read(quote!("add")).1, [FORM]);
        assert_eq!(read(quote!(fast)).1, [UNKNOWN]);
        assert_eq!(read(quote!(loky::fast = 1)).1, [UNKNOWN]);
        assert_eq!(read(quote!(crate = loky::<u8>)).1, ["`crate` is a path: `crate = ::my_crate::loky`"]);
    }

    #[test]
    fn an_option_is_given_once_and_with_a_value() {
        assert_eq!(read(quote!(retries = 1, retries = 2)).1, ["`retries` is given twice"]);
        for without in [quote!(retries), quote!(retries =), quote!(retries = , name = "a"), quote!(retries: 3)] {
            assert_eq!(read(without).1, ["`retries` needs a value: `retries = …`"]);
        }
        assert_eq!(read(quote!(timeout = "0s")).1, ["a timeout of zero lets nothing run: leave it out for none"]);
    }
}
