//! Who may import whom. The table is the one of ARCHITECTURE.md; a room may name only rooms above it.

use crate::source::Source;

/// One room and the rooms it may import.
pub(crate) type Row = (&'static str, &'static [&'static str]);

/// The house, from the ground up. Every room imports only rooms that stand before it.
pub(crate) const HOUSE: &[Row] = &[
    ("arity", &[]),
    ("bulk", &[]),
    ("caught", &[]),
    ("confinement", &[]),
    ("ids", &[]),
    ("memory", &[]),
    ("progress", &[]),
    ("sync", &[]),
    ("sys", &[]),
    ("text", &[]),
    ("bars", &["progress", "text"]),
    ("error", &["ids", "progress"]),
    ("executor", &[]),
    ("identity", &["ids", "sys", "text"]),
    ("machine", &[]),
    ("oneshot", &["caught", "sync"]),
    ("scheduler", &["ids"]),
    ("shared", &["sys"]),
    ("observe", &["ids", "error", "text"]),
    ("env", &["ids", "error"]),
    ("wire", &["confinement", "memory", "shared", "sys", "ids", "error"]),
    ("logs", &["wire", "sys", "text", "caught", "ids", "error"]),
    ("cpu", &["env", "identity", "machine", "sys"]),
    ("task", &["wire", "shared", "memory", "sys", "arity", "caught", "ids", "error"]),
    ("transport", &["sync", "memory", "shared", "wire", "sys", "error"]),
    ("supervisor", &["env", "sys", "ids", "error"]),
    ("errand", &["task", "transport", "wire", "shared", "error", "ids"]),
    ("config", &["confinement", "scheduler", "errand", "env", "cpu", "error"]),
    (
        "worker",
        &[
            "confinement",
            "supervisor",
            "env",
            "transport",
            "wire",
            "task",
            "shared",
            "sys",
            "text",
            "caught",
            "identity",
            "ids",
            "error",
        ],
    ),
    (
        "driver",
        &[
            "scheduler",
            "supervisor",
            "transport",
            "wire",
            "task",
            "shared",
            "observe",
            "logs",
            "oneshot",
            "sync",
            "sys",
            "text",
            "caught",
            "config",
            "errand",
            "cpu",
            "env",
            "identity",
            "ids",
            "machine",
            "progress",
            "bars",
            "error",
        ],
    ),
    ("boot", &["env", "sys"]),
    (
        "node",
        &[
            "boot",
            "driver",
            "supervisor",
            "transport",
            "wire",
            "task",
            "shared",
            "config",
            "cpu",
            "identity",
            "observe",
            "oneshot",
            "sync",
            "sys",
            "ids",
            "error",
        ],
    ),
    (
        "pool",
        &[
            "node",
            "driver",
            "bars",
            "confinement",
            "task",
            "transport",
            "wire",
            "shared",
            "oneshot",
            "observe",
            "config",
            "errand",
            "cpu",
            "arity",
            "env",
            "executor",
            "identity",
            "ids",
            "error",
        ],
    ),
    ("par_map", &["bars", "pool", "driver", "task", "transport", "wire", "shared", "oneshot", "arity", "ids", "error"]),
    ("fuzz", &["driver", "scheduler", "supervisor", "transport", "wire", "task", "sys", "sync", "ids", "error"]),
    ("start", &["worker", "boot", "node"]),
    ("private", &["start", "pool", "par_map", "driver", "task", "shared", "wire", "error"]),
    ("prelude", &["pool", "par_map", "private"]),
    ("main_macro", &["start", "private"]),
    ("closure_macro", &["private"]),
];

/// What a file names though the table does not allow it, with the reason. Kept as short as can be.
pub(crate) const ALLOWED: &[(&str, &str)] = &[];

/// The front door imports everything.
const FRONT_DOOR: &str = "lib";

pub(crate) fn complaints(source: &Source, house: &[Row]) -> Vec<String> {
    let place = source.place();
    let room = place[0];
    let Some((_, allowed)) = house.iter().find(|(name, _)| *name == room) else { return Vec::new() };
    let mut found = Vec::new();
    for name in source.names() {
        let at = format!("{}:{}", source.path, name.line);
        let ups = name.segments.iter().take_while(|segment| *segment == "super").count();
        if ups >= place.len() + inline_depth(source) {
            found.push(format!("{at}: leaves the room by `super`; name the other room as `crate::room`"));
        }
        let [root, target, ..] = name.segments.as_slice() else { continue };
        let is_known = ALLOWED.contains(&(source.path.as_str(), target.as_str()));
        if root != "crate" || target == room || allowed.contains(&target.as_str()) || is_known {
            continue;
        }
        found.push(match house.iter().any(|(name, _)| name == target) {
            true => format!("{at}: `{room}` may not import `{target}`"),
            false => format!("{at}: `crate::{target}` is no room; name the room that it lives in"),
        });
    }
    found
}

/// Complaints about the table: rooms that are missing in it or gone, and rooms that import what stands after them.
pub(crate) fn table_complaints(sources: &[Source], house: &[Row]) -> Vec<String> {
    let rooms: Vec<_> = sources.iter().map(|source| source.place()[0]).filter(|room| *room != FRONT_DOOR).collect();
    let row = |room: &str| house.iter().position(|(name, _)| *name == room);
    let missing = rooms.iter().filter(|room| row(room).is_none()).map(|room| format!("`{room}` is not in the table"));
    let gone = house.iter().filter(|(name, _)| !rooms.contains(name)).map(|(name, _)| format!("`{name}` is no file"));
    let later = house.iter().enumerate().flat_map(|(at, (name, allowed))| {
        let late = allowed.iter().filter(move |other| row(other).is_none_or(|other| other >= at));
        late.map(move |other| format!("`{name}` may import `{other}`, which does not stand before it"))
    });
    missing.chain(gone).chain(later).collect()
}

/// How many modules the file opens inside itself at most: each gives one more `super` to go.
fn inline_depth(source: &Source) -> usize {
    fn deepest(items: &[syn::Item]) -> usize {
        let inner = items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) => module.content.as_ref().map(|(_, items)| 1 + deepest(items)),
            _ => None,
        });
        inner.max().unwrap_or(0)
    }
    deepest(&source.file.items)
}

mod tests {
    use super::{Row, complaints, table_complaints};
    use crate::source::Source;

    const HOUSE: &[Row] = &[("ids", &[]), ("error", &["ids"]), ("pool", &["error", "ids"])];

    fn in_file(path: &str, text: &str) -> Vec<String> {
        complaints(&Source::parse(path, text), HOUSE)
    }

    #[test]
    fn an_import_from_above_is_seen() {
        assert_eq!(in_file("loky/src/error.rs", "use crate::pool::Pool;").len(), 1);
        assert_eq!(in_file("loky/src/error.rs", "use crate::{ids::CallId, pool::Pool};").len(), 1);
        assert_eq!(in_file("loky/src/error.rs", "fn f() { crate::pool::start() }").len(), 1);
        assert_eq!(in_file("loky/src/error.rs", "use super::pool::Pool;").len(), 1);
        assert_eq!(in_file("loky/src/pool/call.rs", "use super::super::error::Error;").len(), 1);
        assert_eq!(in_file("loky/src/error.rs", "use crate::Pool;").len(), 1);
    }

    #[test]
    fn an_import_from_below_is_not() {
        let text = "use crate::{error::Error, ids::CallId}; use super::handle; #[cfg(test)] mod t { use crate::x; }";
        assert_eq!(in_file("loky/src/pool/call.rs", text), Vec::<String>::new());
    }

    #[test]
    fn the_table_itself_is_held() {
        let sources = [Source::parse("loky/src/ids.rs", ""), Source::parse("loky/src/attic.rs", "")];
        let upside_down: &[Row] = &[("ids", &["error"]), ("error", &[])];
        let found = table_complaints(&sources, upside_down);
        assert_eq!(found.len(), 3, "attic is missing, error is gone, ids imports error: {found:?}");
    }
}
