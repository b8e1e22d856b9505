//! The task: what is in one source file. Reads, parses and counts; knows of no other file and of no pool.
//!
//! What is counted is what the parser sees as syntax. Code inside a macro's braces, a `macro_rules!` body among it, is
//! only tokens to any parser that does not expand macros, and is not counted.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use proc_macro2::Span;
use serde::{Deserialize, Serialize};
use syn::visit::{self, Visit};

/// What one file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileCount {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// Functions and methods with a body, nested ones included; closures and mere declarations are not.
    pub(crate) functions: u64,
    /// `unsafe { … }`; neither `unsafe fn` nor `unsafe impl`.
    pub(crate) unsafe_blocks: u64,
    /// The first of the longest.
    pub(crate) longest: Option<Function>,
    /// How long all this took in the worker.
    pub(crate) micros: u64,
}

/// Where a function is and how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    /// With the type or trait it belongs to: `Parser::step`.
    pub(crate) name: String,
    /// The line of its signature, counted from 1.
    pub(crate) line: u64,
    /// From its signature to its closing brace, both included.
    pub(crate) lines: u64,
}

/// Why there is nothing to count: the task's own answer, as against a worker's death.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// The operating system would not give it.
    Unreadable(String),
    TooLarge(u64),
    NotUtf8 {
        valid_up_to: usize,
    },
    NotRust {
        line: usize,
        column: usize,
        message: String,
    },
}

/// No source is as large as this; something that only looks like one should not fill the memory.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[loky::task]
pub(crate) fn count(path: PathBuf) -> Result<FileCount, Refusal> {
    let started = Instant::now();
    let text = read(&path)?;
    let mut counted = count_text(&text)?;
    counted.micros = started.elapsed().as_micros() as u64;
    Ok(counted)
}

fn read(path: &Path) -> Result<String, Refusal> {
    let unreadable = |error: io::Error| Refusal::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Err(Refusal::TooLarge(length));
    }
    // Bounded once more, for a file may grow, and some that are not regular files have no length.
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| Refusal::NotUtf8 { valid_up_to: error.utf8_error().valid_up_to() })
}

fn count_text(text: &str) -> Result<FileCount, Refusal> {
    // proc_macro2 keeps the text of all it has ever parsed on a thread, for spans that may still be asked. A worker
    // parses thousands of files and holds no span of the last one any more.
    proc_macro2::extra::invalidate_current_thread_spans();
    let file = syn::parse_file(text).map_err(|error| not_rust(&error))?;
    let mut counter = Counter::default();
    counter.visit_file(&file);
    Ok(FileCount { bytes: text.len() as u64, lines: text.lines().count() as u64, ..counter.counted })
}

fn not_rust(error: &syn::Error) -> Refusal {
    let start = error.span().start();
    Refusal::NotRust { line: start.line, column: start.column + 1, message: error.to_string() }
}

#[derive(Default)]
struct Counter {
    counted: FileCount,
    /// The type or trait whose items are being visited.
    owner: Option<String>,
}

impl Counter {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        self.counted.functions += 1;
        let line = first_line(signature);
        let lines = body.brace_token.span.close().end().line as u64 - line + 1;
        if self.counted.longest.as_ref().is_none_or(|longest| longest.lines < lines) {
            let name = match &self.owner {
                Some(owner) => format!("{owner}::{}", signature.ident),
                None => signature.ident.to_string(),
            };
            self.counted.longest = Some(Function { name, line, lines });
        }
    }

    fn inside(&mut self, owner: Option<String>, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = outer;
    }
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.inside(None, |this| visit::visit_item_fn(this, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        self.inside(None, |this| visit::visit_impl_item_fn(this, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        self.inside(None, |this| visit::visit_trait_item_fn(this, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.inside(type_name(&item.self_ty), |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.inside(Some(item.ident.to_string()), |this| visit::visit_item_trait(this, item));
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.counted.unsafe_blocks += 1;
        visit::visit_expr_unsafe(self, block);
    }
}

fn first_line(signature: &syn::Signature) -> u64 {
    Span::start(&signature.fn_token.span).line as u64
}

/// The last word of a path such as `de::Parser<R>`; other types have no name that says much.
fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> FileCount {
        count_text(text).expect("valid Rust")
    }

    #[test]
    fn an_empty_file_is_valid_and_holds_nothing() {
        assert_eq!(counted(""), FileCount::default());
    }

    #[test]
    fn functions_are_those_with_a_body() {
        let text = "fn a() { fn b() {} let _c = || 1; }\n\
                    trait T { fn declared(&self); fn given(&self) {} }\n\
                    impl T for () { fn declared(&self) {} }\n\
                    extern \"C\" { fn foreign(); }\n\
                    macro_rules! m { () => { fn hidden() {} } }";
        assert_eq!(counted(text).functions, 4);
    }

    #[test]
    fn unsafe_blocks_are_not_unsafe_functions() {
        let text =
            "unsafe fn a() { unsafe { unsafe { b() } } }\nunsafe impl Send for S {}\nconst X: u8 = unsafe { 1 };";
        assert_eq!(counted(text).unsafe_blocks, 3);
    }

    #[test]
    fn the_longest_function_is_named_with_its_owner() {
        let text = "fn short() {}\n\nimpl<T> a::B<T> {\n    /// Not part of it.\n    fn long(\n        &self,\n    ) {\n    }\n}\n";
        let expected = Function { name: "B::long".into(), line: 5, lines: 4 };
        assert_eq!(counted(text).longest, Some(expected));
        assert_eq!(counted(text).lines, 9);
    }

    #[test]
    fn a_function_inside_a_method_is_not_a_method() {
        let text = "impl A { fn m() { fn inner() {\n\n} } }";
        assert_eq!(counted(text).longest.map(|longest| longest.name).as_deref(), Some("A::m"));
        let text = "trait A { fn m() { struct B; impl B { fn inner() {} } } fn after() {\n} }";
        assert_eq!(counted(text).longest.map(|longest| longest.name).as_deref(), Some("A::after"));
    }

    #[test]
    fn lines_are_right_for_every_file_a_worker_parses() {
        for _ in 0..3 {
            assert_eq!(counted("\n\nfn third() {}").longest.map(|longest| longest.line), Some(3));
        }
    }

    #[test]
    fn byte_order_mark_shebang_and_line_ends_are_valid() {
        assert_eq!(counted("\u{feff}#!/usr/bin/env run\r\nfn a() {}\r\n").functions, 1);
    }

    #[test]
    fn what_is_not_rust_is_refused_with_its_place() {
        let Err(Refusal::NotRust { line, column, message }) = count_text("fn a() {\n    let = 1;\n}") else {
            panic!("accepted");
        };
        assert_eq!((line, column), (2, 9), "{message}");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert!(matches!(read(Path::new("/no/such/file.rs")), Err(Refusal::Unreadable(_))));
        assert!(matches!(read(Path::new("/")), Err(Refusal::Unreadable(_))));
    }
}
