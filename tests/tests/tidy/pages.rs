//! What the documentation of each public item owes its reader, as far as a machine can see it: sections of fixed names, and
//! an example on each page.

use syn::visit::{self, Visit};
use syn::{Block, ReturnType, Signature, Type};

use crate::interface::{Kind, Piece};

/// What may panic somewhere else than in its own body.
const PANICS: &[&str] =
    &["loky::Shared::build", "loky::Shared::from_slice", "loky::Shared::from_vec", "loky::Shared::slice"];

/// Names of functions that wait, or of which one would think so.
const WAITS: &[&str] = &[
    "as_completed",
    "join",
    "join_all",
    "join_captured",
    "next_timeout",
    "run",
    "shutdown",
    "shutdown_now",
    "shutdown_timeout",
    "spawn",
    "spawn_async",
    "try_spawn",
    "unwrap_all",
    "wait_timeout",
    "warm_up",
];

/// What waits when it is asked for its next item.
const WAITING_TYPES: &[&str] = &["loky::AsCompleted", "loky::ParMapIter", "loky::Unordered"];

/// What somebody holds while a worker dies.
const OUTLIVES_A_WORKER: &[&str] = &[
    "loky::AsCompleted",
    "loky::Call",
    "loky::Closure",
    "loky::Fd",
    "loky::JoinHandle",
    "loky::ParMapIter",
    "loky::ParMapStream",
    "loky::Pool",
    "loky::Shared",
    "loky::Unordered",
    "loky::UnorderedStream",
    "loky::join_all",
    "loky::task",
];

pub(crate) fn complaints(pieces: &[Piece]) -> Vec<String> {
    let missing = pieces.iter().filter(|piece| is_owed(piece)).flat_map(|piece| {
        let complain = move |what: &str| format!("{}: `{}` {what}", piece.place, piece.path);
        missing_sections(piece)
            .into_iter()
            .map(move |section| complain(&format!("has no `# {section}`")))
            .chain(faults(piece).into_iter().map(complain))
    });
    let pages = pieces.iter().filter(|piece| has_page(piece) && !is_exemplified(piece, pieces));
    let bare = pages.map(|piece| format!("{}: nothing on the page of `{}` is an example", piece.place, piece.path));
    missing.chain(bare).chain(unknown(pieces)).collect()
}

/// Parts are told in a line, and what implements a trait by the trait.
fn is_owed(piece: &Piece) -> bool {
    has_page(piece) || matches!(piece.kind, Kind::NamelessTrait | Kind::Method)
}

fn missing_sections(piece: &Piece) -> Vec<&'static str> {
    let name = piece.path.rsplit("::").next().expect("a path has a last part");
    let is = |names: &[&str]| names.contains(&piece.path.as_str());
    let owed = [
        ("Errors", piece.signature.as_ref().is_some_and(gives_a_result)),
        ("Panics", piece.body.as_ref().is_some_and(panics) || is(PANICS)),
        ("If the worker dies", is(OUTLIVES_A_WORKER)),
        ("Blocking", piece.signature.is_some() && WAITS.contains(&name) || is(WAITING_TYPES)),
    ];
    let has = |section: &str| piece.docs.lines().any(|line| line.strip_prefix("# ") == Some(section));
    owed.into_iter().filter(|(section, is_owed)| *is_owed && !has(section)).map(|(section, _)| section).collect()
}

fn faults(piece: &Piece) -> Vec<&'static str> {
    let first: Vec<_> = piece.docs.lines().take_while(|line| !line.is_empty()).collect();
    let is_sentence = first.last().is_some_and(|last| last.ends_with(['.', ':'])) && !first[0].starts_with('#');
    let has_ignored = examples(&piece.docs).iter().any(|kind| kind.contains("ignore"));
    [(!is_sentence, "does not begin with a sentence"), (has_ignored, "has an example that nobody compiles")]
        .into_iter()
        .filter_map(|(is_so, what)| is_so.then_some(what))
        .collect()
}

fn gives_a_result(signature: &Signature) -> bool {
    match &signature.output {
        ReturnType::Type(_, of) => match &**of {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}

/// Whether the function itself ends in a panic if something is not as it should be, while it runs.
fn panics(body: &Block) -> bool {
    struct Panics(bool);

    impl<'a> Visit<'a> for Panics {
        fn visit_macro(&mut self, call: &'a syn::Macro) {
            let names = ["panic", "assert", "assert_eq", "assert_ne", "unreachable"];
            self.0 |= names.iter().any(|name| call.path.is_ident(name));
        }

        /// What is not so there does not compile.
        fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    }

    let mut found = Panics(false);
    visit::visit_block(&mut found, body);
    found.0
}

fn has_page(piece: &Piece) -> bool {
    matches!(piece.kind, Kind::Type | Kind::Trait | Kind::Function | Kind::Macro | Kind::Module)
}

/// Whether there is an example for it, for something that stands on its page, or for the module that it stands in.
fn is_exemplified(piece: &Piece, all: &[Piece]) -> bool {
    let is_below = |one: &Piece, other: &Piece| {
        one.path.strip_prefix(&other.path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let stands_on = |other: &&Piece| is_below(other, piece) || other.kind == Kind::Module && is_below(piece, other);
    let is_compiled = |kind: &String| kind.split(',').all(|word| !["text", "sh", "toml", "ignore"].contains(&word));
    all.iter().filter(stands_on).any(|other| examples(&other.docs).iter().any(is_compiled))
}

/// What stands behind the fence of each block of code.
fn examples(docs: &str) -> Vec<String> {
    let fences = docs.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
    fences.step_by(2).map(str::to_owned).collect()
}

/// Names in the tables that nothing has.
fn unknown(pieces: &[Piece]) -> Vec<String> {
    let listed = [PANICS, WAITING_TYPES, OUTLIVES_A_WORKER].concat();
    let is_gone = |path: &&str| !pieces.iter().any(|piece| piece.path == **path);
    let gone_names = WAITS.iter().filter(|name| {
        !pieces.iter().any(|piece| piece.signature.is_some() && piece.path.rsplit("::").next() == Some(name))
    });
    let gone = listed.into_iter().filter(is_gone).chain(gone_names.copied());
    gone.map(|name| format!("tests/tests/tidy/pages.rs: there is no `{name}` any more")).collect()
}

mod tests {
    use super::{examples, faults, gives_a_result, is_exemplified, missing_sections, panics};
    use crate::interface::{Piece, of_text};

    fn piece(text: &str) -> Piece {
        of_text(text).into_iter().next().expect("something public")
    }

    #[test]
    fn sections_that_are_missing_are_seen() {
        let missing = |text: &str| missing_sections(&piece(text));
        assert_eq!(missing("/// Makes.\npub fn f() -> io::Result<u8> { g() }"), ["Errors"]);
        assert_eq!(missing("/// Makes.\n///\n/// # Errors\npub fn f() -> Result<u8, E> { g() }"), [""; 0]);
        assert_eq!(missing("/// Makes.\npub fn join() { g(|| panic!(\"no\")) }"), ["Panics", "Blocking"]);
        assert_eq!(missing("/// Many.\npub struct AsCompleted;"), ["If the worker dies", "Blocking"]);
    }

    #[test]
    fn what_cannot_panic_while_it_runs_owes_nothing() {
        let body = |text: &str| syn::parse_str::<syn::Block>(text).expect("a block");
        assert!(panics(&body("{ if x { assert!(y) } }")) && panics(&body("{ unreachable!() }")));
        assert!(!panics(&body("{ const { assert!(N > 0) }; f() }")) && !panics(&body("{ println!() }")));
        let signature = |text: &str| syn::parse_str::<syn::Signature>(text).expect("a signature");
        assert!(!gives_a_result(&signature("fn f() -> Option<Result<u8, E>>")));
    }

    #[test]
    fn a_page_without_an_example_is_seen() {
        let of = |text: &str| of_text(text);
        let is_shown = |pieces: &[Piece]| is_exemplified(&pieces[0], pieces);
        assert!(!is_shown(&of("/// A.\n///\n/// ```text\n/// a\n/// ```\npub struct A;")));
        assert!(is_shown(&of(
            "/// A.\npub struct A; impl A { /// F.\n///\n/// ```\n/// a()\n/// ```\npub fn f() {} }"
        )));
        assert_eq!(examples("```no_run\na\n```\n\n```\nb\n```\n"), ["no_run", ""]);
    }

    #[test]
    fn what_is_no_sentence_and_what_is_not_compiled_is_seen() {
        assert_eq!(faults(&piece("/// makes it\n///\n/// ```ignore\n/// a\n/// ```\npub fn f() {}")).len(), 2);
        assert!(faults(&piece("/// Makes it.\npub fn f() {}")).is_empty());
        assert_eq!(faults(&piece("/// # Examples\npub fn f() {}")).len(), 1);
    }
}
