//! How a file looks: it says what it is for, ends before it is long, and argues for each unsafe block.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Signature};

use crate::source::Source;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

pub(crate) fn missing_purpose(source: &Source) -> Option<String> {
    // The front door's first words are the README's.
    let is_there = source.text.starts_with("//! ") || source.text.starts_with("#![doc = include_str!(");
    (!is_there).then(|| format!("{}: does not begin with `//!` and what it is for", source.path))
}

pub(crate) fn long_file(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines, more than {FILE_LINES_MAX}", source.path))
}

pub(crate) fn long_functions(source: &Source) -> Vec<String> {
    let mut measure = Measure(Vec::new());
    measure.visit_file(&source.file);
    let long = measure.0.into_iter().filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX);
    long.map(|(name, line, lines)| format!("{}:{line}: `{name}` has {lines} lines", source.path)).collect()
}

/// Name, first line and length of every function.
struct Measure(Vec<(String, usize, usize)>);

impl Measure {
    fn note(&mut self, signature: &Signature, body: &Block) {
        let (first, last) = (signature.span().start().line, body.span().end().line);
        self.0.push((signature.ident.to_string(), first, last + 1 - first));
    }
}

impl<'a> Visit<'a> for Measure {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

pub(crate) fn unargued_unsafe(source: &Source) -> Vec<String> {
    let mut blocks = Blocks(Vec::new());
    blocks.visit_file(&source.file);
    let lines: Vec<_> = source.text.lines().map(str::trim_start).collect();
    let unargued = blocks.0.into_iter().filter(|line| !is_argued(&lines, *line));
    unargued.map(|line| format!("{}:{line}: unsafe without `// SAFETY:` above it", source.path)).collect()
}

/// The lines of every unsafe block and implementation.
struct Blocks(Vec<usize>);

impl<'a> Visit<'a> for Blocks {
    fn visit_expr_unsafe(&mut self, block: &'a syn::ExprUnsafe) {
        self.0.push(block.unsafe_token.span.start().line);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.0.extend(item.unsafety.map(|token| token.span.start().line));
        visit::visit_item_impl(self, item);
    }
}

/// Whether the comment above line `line` (from 1), across the beginning of its own statement, holds the argument.
fn is_argued(lines: &[&str], line: usize) -> bool {
    let above = lines[..line - 1].iter().rev();
    let comment = above.skip_while(|line| !line.starts_with("//") && !ends_a_statement(line));
    comment.take_while(|line| line.starts_with("//")).any(|line| line.starts_with("// SAFETY: "))
}

fn ends_a_statement(line: &str) -> bool {
    line.is_empty() || line.ends_with([';', '}', '{'])
}

mod tests {
    use super::{FILE_LINES_MAX, long_file, long_functions, missing_purpose, unargued_unsafe};
    use crate::source::Source;

    fn source(text: &str) -> Source {
        Source::parse("loky/src/a.rs", text)
    }

    #[test]
    fn a_file_without_a_purpose_is_seen() {
        assert!(missing_purpose(&source("use std::fmt;\n")).is_some());
        assert!(missing_purpose(&source("//! Formats.\nuse std::fmt;\n")).is_none());
    }

    #[test]
    fn length_is_seen() {
        assert!(long_file(&source(&"\n".repeat(FILE_LINES_MAX + 1))).is_some());
        assert!(long_file(&source(&"\n".repeat(FILE_LINES_MAX))).is_none());
        let body = |lines: usize| format!("impl A {{ fn long() {{{}}} }}", "\n".repeat(lines - 1));
        assert_eq!(long_functions(&source(&body(71))).len(), 1);
        assert_eq!(long_functions(&source(&body(70))).len(), 0);
    }

    #[test]
    fn an_unsafe_block_without_an_argument_is_seen() {
        assert_eq!(unargued_unsafe(&source("fn f() {\n    unsafe { g() }\n}\n")).len(), 1);
        assert_eq!(unargued_unsafe(&source("// SAFETY: old.\nfn f() {\n    unsafe { g() }\n}\n")).len(), 1);
        assert_eq!(
            unargued_unsafe(&source("fn f() {\n    // SAFETY: g asks nothing.\n    unsafe { g() }\n}\n")).len(),
            0
        );
        let split = "fn f() {\n    // SAFETY: g asks\n    // nothing.\n    let x =\n        unsafe { g() };\n}\n";
        assert_eq!(unargued_unsafe(&source(split)).len(), 0);
        assert_eq!(unargued_unsafe(&source("unsafe impl Send for A {}\n")).len(), 1);
    }
}
