//! What the library says of other systems, and which clock it asks: seen in its source, since neither can be run here.

use syn::visit::Visit;

use crate::source::{Named, Tree};

/// Where a compilation ends, and for whom.
#[derive(Default)]
struct Refusals(Vec<(String, String)>);

impl<'ast> Visit<'ast> for Refusals {
    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.mac.path.is_ident("compile_error") {
            let condition = item.attrs.iter().find(|attribute| attribute.path().is_ident("cfg"));
            let condition = condition.and_then(|attribute| attribute.meta.require_list().ok());
            let condition = condition.map_or_else(String::new, |list| list.tokens.to_string());
            let message: syn::LitStr = item.mac.parse_body().expect("it says something");
            self.0.push((condition.replace(' ', ""), message.value()));
        }
    }
}

#[test]
fn env_17_other_systems_are_refused_in_one_sentence() {
    let mut refusals = Refusals::default();
    for source in Tree::of_the_workspace().sources("loky/src/sys") {
        refusals.visit_file(&source.file);
    }
    let [(condition, message)] = refusals.0.as_slice() else { panic!("one of them: {:?}", refusals.0) };
    assert_eq!(condition, r#"not(all(target_os="linux",target_pointer_width="64"))"#);
    assert!(message.contains("Linux") && !message.contains('\n') && message.len() < 120, "{message}");
}

/// `Instant` is the clock that nobody can set and that stands still while the machine is suspended.
#[test]
fn timeout_22_limits_are_measured_by_a_clock_that_nobody_sets() {
    let sources = Tree::of_the_workspace().sources("loky/src");
    let asks_the_time =
        |name: &Named| name.segments.iter().any(|segment| segment == "SystemTime" || segment == "UNIX_EPOCH");
    let wrong: Vec<_> = sources.iter().filter(|source| source.names().iter().any(asks_the_time)).collect();
    assert!(wrong.is_empty(), "{:?}", wrong.iter().map(|source| &source.path).collect::<Vec<_>>());
    let asks = |name: &Named| name.segments.ends_with(&["Instant".to_owned(), "now".to_owned()]);
    assert!(sources.iter().any(|source| source.names().iter().any(asks)), "this test sees a clock if there is one");
}
