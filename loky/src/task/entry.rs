//! The static record of one task: how a typed function becomes one of bytes to bytes, and where it was written.
//!
//! The record is built by generated code in a constant, so everything here is `const` and nothing can fail. It knows
//! neither its place in the registry nor who will call it.

use std::any::TypeId;
use std::fmt;
use std::time::Duration;

use super::arguments::ArgumentReader;
use super::value::Written;

/// One task of this binary.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub(crate) name: &'static str,
    /// Whether the user chose the name, and so promised that it is unique.
    pub(crate) named: bool,
    pub(crate) version: &'static str,
    pub(crate) place: Place,
    pub(crate) code: Code,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: u32,
}

/// What there is to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Code {
    /// A function, with the type of its item.
    Function(fn() -> TypeId, Run),
    /// A generic function: only its instances can be run, each of which has an entry of its own.
    Generic,
    /// A closure, from its captures.
    Closure(Open),
}

/// Decodes the arguments, calls the function, appends the encoded result.
pub(crate) type Run = fn(&mut ArgumentReader<'_>, &mut Written) -> Result<(), Fault>;

/// Decodes the captures of a closure; what is returned does the same as [`Run`] with them.
pub(crate) type Open = fn(&[u8]) -> Result<Opened, Fault>;

/// A closure with its captures.
pub(crate) type Opened = Box<dyn Fn(&mut ArgumentReader<'_>, &mut Written) -> Result<(), Fault>>;

/// Where the attribute of a task stands. Part of what tells two tasks of one name apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Why a task that was found could not be run, or its result not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not the arguments of this task. The task did not run.
    Decode(String),
    /// The task ran, and its result refuses to be encoded.
    Encode(String),
}

impl Entry {
    /// `name` is the path of the function; `run` and `type_id` belong to the same function.
    pub const fn new(name: &'static str, type_id: fn() -> TypeId, run: Run) -> Self {
        Self::of(name, Code::Function(type_id, run))
    }

    /// A generic function, by its path. It is in the registry for the sake of its name.
    pub const fn generic(name: &'static str) -> Self {
        Self::of(name, Code::Generic)
    }

    /// A closure, by where it stands.
    pub(crate) const fn closure(name: &'static str, open: Open) -> Self {
        Self::of(name, Code::Closure(open))
    }

    const fn of(name: &'static str, code: Code) -> Self {
        let place = Place { file: "", line: 0, column: 0 };
        Self { name, named: false, version: "", place, code, timeout: None, retries: 0 }
    }

    /// Where the attribute stands.
    #[must_use]
    pub const fn at(mut self, file: &'static str, line: u32, column: u32) -> Self {
        self.place = Place { file, line, column };
        self
    }

    /// The version of the crate that the function is in.
    #[must_use]
    pub const fn of_version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// A name of the user's choice, instead of the path of the function.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self.named = true;
        self
    }

    /// How long a call may run, unless the call itself says otherwise.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many extra attempts a call has, unless the call itself says otherwise.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The type of the function, if there is one.
    pub(crate) fn type_id(&self) -> Option<TypeId> {
        match self.code {
            Code::Function(type_id, _) => Some(type_id()),
            Code::Generic | Code::Closure(_) => None,
        }
    }

    /// What tells this task from every other one, in every build of the same source.
    pub(crate) const fn key(&self) -> Key {
        (self.name, self.version, self.place)
    }
}

/// The type of a function item, which no other function shares. Lifetimes are not told apart.
pub fn type_id_of<F>(_: F) -> TypeId {
    typeid::of::<F>()
}

/// The version of the user's crate; empty where cargo did not build it.
pub const fn version(version: Option<&'static str>) -> &'static str {
    match version {
        Some(version) => version,
        None => "",
    }
}

/// Name, version of the crate, place: ordered, so that every process of a binary numbers its tasks alike.
pub(crate) type Key = (&'static str, &'static str, Place);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Entry =
        Entry::new("app::add", TypeId::of::<u8>, |_, _| Ok(())).at("src/main.rs", 7, 1).of_version("1.2.3");

    #[test]
    fn an_entry_is_built_in_a_constant() {
        const TUNED: Entry = PLAIN.named("sum").timeout(Duration::from_secs(2)).retries(3);
        assert_eq!((PLAIN.name, PLAIN.named, PLAIN.timeout, PLAIN.retries), ("app::add", false, None, 0));
        assert_eq!((TUNED.name, TUNED.named), ("sum", true));
        assert_eq!((TUNED.timeout, TUNED.retries), (Some(Duration::from_secs(2)), 3));
        assert_eq!(TUNED.place.to_string(), "src/main.rs:7:1");
    }
}
