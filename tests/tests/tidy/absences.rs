//! Who alone may name what. Invariants are written as absences: a name, the rooms that have it, and why no other.

use crate::source::{Named, Source};

/// A name that only some rooms may use.
pub(crate) struct Rule {
    /// The name, as consecutive segments of a path; a single segment matches wherever it stands.
    pub(crate) name: &'static str,
    pub(crate) only: Only,
    pub(crate) why: &'static str,
}

/// Where a rule applies. A place is a room, `driver`, or a file, `wire/codec`.
pub(crate) enum Only {
    /// Nowhere but in these places.
    In(&'static [&'static str]),
    /// Everywhere but in these places.
    Outside(&'static [&'static str]),
}

const fn only_in(name: &'static str, places: &'static [&'static str], why: &'static str) -> Rule {
    Rule { name, only: Only::In(places), why }
}

const fn not_in_scheduler(name: &'static str) -> Rule {
    Rule { name, only: Only::Outside(&["scheduler"]), why: "the scheduler is told the time and touches nothing" }
}

const THREADS: &str = "only the driver, or what talks with other machines, creates threads in the parent, and only the worker loop in a worker";
const DYNAMIC: &str = "only `env` reads and writes environment variables";

pub(crate) const RULES: &[Rule] = &[
    not_in_scheduler("Instant::now"),
    not_in_scheduler("elapsed"),
    not_in_scheduler("SystemTime"),
    not_in_scheduler("std::thread"),
    not_in_scheduler("std::sync"),
    not_in_scheduler("std::io"),
    not_in_scheduler("std::fs"),
    not_in_scheduler("std::net"),
    not_in_scheduler("std::os"),
    not_in_scheduler("std::process"),
    only_in("thread::spawn", &["driver", "node", "worker"], THREADS),
    only_in("thread::Builder", &["driver", "node", "worker"], THREADS),
    only_in("thread::scope", &["driver", "worker"], THREADS),
    only_in("thread::start", &["worker"], THREADS),
    only_in("std::env", &["env", "sys/entry"], DYNAMIC),
    only_in("bincode", &["wire/codec"], "only the codec knows the format"),
    only_in("nix", &["sys"], "only `sys` talks to the kernel"),
    only_in("libc", &["sys"], "only `sys` talks to the kernel"),
    only_in("landlock", &["sys"], "only `sys` talks to the kernel"),
    only_in("seccompiler", &["sys"], "only `sys` talks to the kernel"),
    only_in(
        "unsafe",
        &["sys", "task/find"],
        "only `sys`, and what calls registered code back, is trusted with unsafe code",
    ),
    only_in("unwrap", &[], "library code says with `expect` why it cannot fail"),
    only_in("println", &[], "a library owns no standard stream"),
    only_in("dbg", &[], "a library owns no standard stream"),
    only_in("todo", &[], "no stubs"),
    only_in("unimplemented", &[], "no stubs"),
];

pub(crate) fn complaints(source: &Source, rules: &[Rule]) -> Vec<String> {
    let names = source.names();
    let of = |rule: &Rule| {
        let pattern: Vec<_> = rule.name.split("::").collect();
        let hits = names.iter().filter(|name| is_named(name, &pattern)).map(|name| name.line).collect::<Vec<_>>();
        hits.into_iter().map(|line| format!("{}:{line}: `{}`: {}", source.path, rule.name, rule.why)).collect()
    };
    rules.iter().filter(|rule| rule.forbids(source)).flat_map(|rule| -> Vec<String> { of(rule) }).collect()
}

impl Rule {
    fn forbids(&self, source: &Source) -> bool {
        let place = source.place();
        let stands_in = |allowed: &&str| allowed.split('/').zip(&place).all(|(a, b)| a == *b) && !place.is_empty();
        match self.only {
            Only::In(places) => !places.iter().any(stands_in),
            Only::Outside(places) => places.iter().any(stands_in),
        }
    }
}

fn is_named(name: &Named, pattern: &[&str]) -> bool {
    name.segments.windows(pattern.len()).any(|part| part == pattern)
}

mod tests {
    use super::{RULES, complaints};
    use crate::source::Source;

    fn found(path: &str, text: &str) -> usize {
        complaints(&Source::parse(path, text), RULES).len()
    }

    #[test]
    fn a_clock_in_the_scheduler_is_seen() {
        assert_eq!(found("loky/src/scheduler/calls.rs", "fn f() { std::time::Instant::now(); }"), 1);
        assert_eq!(found("loky/src/scheduler/calls.rs", "fn f(i: Instant) { i.elapsed(); }"), 1);
        assert_eq!(found("loky/src/scheduler/calls.rs", "use std::{fmt, thread};"), 1);
        assert_eq!(found("loky/src/driver/mod.rs", "fn f() { std::time::Instant::now(); }"), 0);
    }

    #[test]
    fn a_thread_outside_the_driver_is_seen() {
        assert_eq!(found("loky/src/pool/handle.rs", "use std::thread; fn f() { thread::spawn(g); }"), 1);
        assert_eq!(found("loky/src/pool/handle.rs", "fn f() { std::thread::Builder::new(); }"), 1);
        assert_eq!(found("loky/src/driver/mod.rs", "fn f() { std::thread::spawn(g); }"), 0);
    }

    #[test]
    fn what_belongs_to_one_room_is_seen_elsewhere() {
        assert_eq!(found("loky/src/cpu.rs", "fn f() { std::env::var(\"X\"); }"), 1);
        assert_eq!(found("loky/src/env.rs", "fn f() { std::env::var(\"X\"); }"), 0);
        assert_eq!(found("loky/src/wire/frame.rs", "use bincode::config;"), 1);
        assert_eq!(found("loky/src/wire/codec.rs", "use bincode::config;"), 0);
        assert_eq!(found("loky/src/supervisor/local.rs", "use nix::sys::wait; fn f(x: libc::c_int) {}"), 2);
        assert_eq!(found("loky/src/task/entry.rs", "fn f() { unsafe { g() } }"), 1);
        assert_eq!(found("loky/src/sys/fd.rs", "fn f() { unsafe { libc::close(1) } }"), 0);
        assert_eq!(found("loky/src/cpu.rs", "fn f() { g().unwrap(); h().unwrap_or(1); println!(); }"), 2);
    }
}
