//! From a function's type to its task, and from a task's number to its entry.
//!
//! Most tasks stand in the registry. An instance of a generic function does not: it exists once the compiler has made
//! it, and has left a mark then. It is named by where in the program the code lies that gives its entry, as a closure
//! is.
#![expect(unsafe_code, reason = "a function is called by its address; the block says why it is one")]

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use super::entry::Entry;
use super::registry::registry;
use crate::error::{Error, ErrorKind};
use crate::ids::{TaskId, TaskPlace};
use crate::sys::image;
use crate::sys::marks::{self, Mark};
use crate::wire::body::Parcel;

/// A task as the parent names it: its number for the wire, its entry for everything else.
#[derive(Clone, Debug)]
pub struct TaskRef {
    pub(crate) id: TaskId,
    pub(crate) entry: &'static Entry,
    /// Of a closure: its captures, encoded.
    pub(crate) captures: Option<Arc<Parcel>>,
}

impl TaskRef {
    pub(crate) const fn function(id: TaskId, entry: &'static Entry) -> Self {
        Self { id, entry, captures: None }
    }
}

/// An instance of a generic function: a type that has the instance's parameters, and knows its entry.
pub trait Instance {
    /// The entry.
    fn entry() -> &'static Entry;
}

/// Stands in the body of a generic function, so that wherever an instance of that is compiled, its entry can be found.
#[inline(always)]
pub fn mark<I: Instance>() {
    marks::leave::<EntryOf<I>>();
}

struct EntryOf<I>(PhantomData<I>);

impl<I: Instance> Mark for EntryOf<I> {
    type Output = &'static Entry;

    fn marked() -> &'static Entry {
        I::entry()
    }
}

/// The task that the function item `F` is. `compile` must make the compiler compile the function.
pub(crate) fn find<F: 'static>(compile: impl FnOnce()) -> Result<TaskRef, Error> {
    let (registry, type_id) = (registry()?, TypeId::of::<F>());
    if let Some(index) = registry.index_of(type_id) {
        let entry = registry.entry(index).expect("the registry counts its own entries");
        return Ok(TaskRef::function(TaskId::registered(index), entry));
    }
    compile();
    instances().get(&type_id).cloned().ok_or_else(|| not_found(type_id, type_name::<F>()))
}

/// Makes the compiler compile what `function` points to.
pub(crate) fn keep<T>(function: T) {
    black_box(function);
}

/// The entry of a task that the other process has named.
pub(crate) fn entry_of(id: TaskId) -> Option<&'static Entry> {
    match id.place()? {
        TaskPlace::Registered(index) => registry().ok()?.entry(index),
        TaskPlace::Located(offset) => Some(call(image::address_at(offset)?)),
    }
}

/// The task that `entry` gives, which stands in no registry.
pub(crate) fn located(entry: fn() -> &'static Entry) -> Result<TaskRef, Error> {
    let found = image::offset_of(entry as *const ());
    found.map(|offset| TaskRef::function(TaskId::located(offset), entry())).ok_or_else(|| in_a_library(entry()))
}

/// All instances that were compiled into this program.
fn instances() -> &'static HashMap<TypeId, TaskRef> {
    static INSTANCES: OnceLock<HashMap<TypeId, TaskRef>> = OnceLock::new();
    INSTANCES.get_or_init(|| {
        let found = marks::all().filter_map(|address| {
            let (offset, entry) = (image::offset_of(address)?, call(address));
            Some((entry.type_id()?, TaskRef::function(TaskId::located(offset), entry)))
        });
        found.collect()
    })
}

/// Calls what gives an entry.
fn call(address: *const ()) -> &'static Entry {
    // SAFETY: the address was taken, in this process or in another one of the same build, from a function of this very
    // type: that is all that marks are left of and that `located` takes, and a parent's welcome names its build.
    let entry: fn() -> &'static Entry = unsafe { std::mem::transmute(address) };
    entry()
}

/// What says of the answer of an initializer whether it is a good one.
#[cfg(feature = "cluster")]
pub(crate) type Judge = fn(&[u8]) -> Result<(), String>;

/// Where in the program the code lies; `None` if it lies in a library.
#[cfg(feature = "cluster")]
pub(crate) fn place_of_judge(judge: Judge) -> Option<u64> {
    image::offset_of(judge as *const ())
}

/// What lies there, as another process of the same build has said.
#[cfg(feature = "cluster")]
pub(crate) fn judge_at(place: u64) -> Option<Judge> {
    let address = image::address_at(place)?;
    // SAFETY: the place was taken, in a process of the same build, from a function of this very type: that is all that
    // `place_of_judge` takes, and an agent's hello names its build. Whoever says it has the secret of the program, and has
    // this process run whatever code of the program it names.
    Some(unsafe { std::mem::transmute::<*const (), Judge>(address) })
}

/// Why there is no such instance.
#[cold]
fn not_found(type_id: TypeId, function: &str) -> Error {
    if let Some(entry) = marks::all().map(call).find(|entry| entry.type_id() == Some(type_id)) {
        return in_a_library(entry);
    }
    Error::new(ErrorKind::UnknownTask, "cannot be started: this program has no such task").with_task(function)
}

fn in_a_library(entry: &Entry) -> Error {
    Error::new(ErrorKind::UnknownTask, "cannot be started: its code lies in a shared library")
        .with_task(entry.name)
        .with_advice("only code of the program itself is at the same place in a worker: link the library statically")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Instantiated<T>(PhantomData<T>);

    impl<T> Instance for Instantiated<T> {
        fn entry() -> &'static Entry {
            const { &Entry::new("generic", || super::super::type_id_of(generic::<T>), |_, _| Ok(())) }
        }
    }

    fn generic<T>(_: T) {
        mark::<Instantiated<T>>();
    }

    fn find_of<F: Fn(A) + 'static, A>(_: F) -> Result<TaskRef, Error> {
        find::<F>(|| keep((|f: &F, a| f(a)) as fn(&F, A)))
    }

    #[test]
    fn each_instance_is_a_task_of_its_own() {
        let (text, number) = (find_of(generic::<String>).unwrap(), find_of(generic::<u8>).unwrap());
        assert_eq!((text.entry.name, number.entry.name), ("generic", "generic"));
        assert_ne!(text.id, number.id);
        assert_eq!(entry_of(text.id).unwrap().type_id(), Some(super::super::type_id_of(generic::<String>)));
    }

    #[test]
    fn what_gives_an_entry_is_found_by_its_place() {
        fn entry() -> &'static Entry {
            const { &Entry::closure("here", |_| Ok(Box::new(|_, _| Ok(())))) }
        }
        let task = located(entry).unwrap();
        assert!(matches!(task.id.place(), Some(TaskPlace::Located(_))));
        assert_eq!(entry_of(task.id).unwrap().name, "here");
        assert!(entry_of(TaskId::located(u64::MAX)).is_none());
        assert!(entry_of(TaskId::registered(u32::MAX)).is_none());
        assert!(entry_of(TaskId::from_raw(1 << 40)).is_none());
    }

    #[test]
    fn an_unregistered_function_is_unknown_by_its_path() {
        fn stranger(_: u8) {}
        let error = find_of(stranger).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownTask);
        assert!(error.task().is_some_and(|name| name.ends_with("stranger")), "{error}");
        assert!(error.to_string().contains("#[loky::task]") && error.to_string().contains("as _;"), "{error}");
    }
}
