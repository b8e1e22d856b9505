//! What `loky::closure!` gives: a value that can be spawned like a task.
//!
//! Its signature is known as a type of function pointers, which decides what the arguments coerce to, as the function
//! itself does for a task. Everything else about the closure is in its task.

#![expect(clippy::too_many_arguments, reason = "the arguments are the closure's own")]

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::handle::JoinHandle;
use crate::arity::for_each_arity;
use crate::error::Error;
use crate::task::{
    ArgumentReader, Capture, Captured, Fault, Glue, Named, Returned, TaskRef, closure as task, encode_arguments,
};

/// A closure that can run in other processes, made by [`closure!`](crate::closure!).
///
/// It is spawned like a task, and accepted wherever a task is. It holds its captures encoded: making it has borrowed
/// the variables only. A clone shares them. `Signature` is the type of a function pointer with the closure's
/// arguments, and `ARITY` says how many those are.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let factor = 3;
/// let scale = loky::closure!(|x: i64| factor * x);
/// assert_eq!(scale.run(14)?, 42);
/// let all: Vec<i64> = (0..3).par_map(scale).collect::<Result<_, _>>()?;
/// assert_eq!(all, [0, 3, 6]);
/// # Ok(()) } }
/// ```
///
/// # If the worker dies
///
/// As with a task: the call ends in [`ErrorKind::Crash`](crate::ErrorKind::Crash), unless it has
/// [`retries`](crate::Call::retries) left. The captures lie here, encoded, and go to the next worker as they are.
#[must_use = "a closure does nothing until it is spawned or run"]
pub struct Closure<Signature, R, const ARITY: usize> {
    task: Result<TaskRef, Error>,
    of: PhantomData<fn() -> (Signature, R)>,
}

impl<Signature, R, const ARITY: usize> Closure<Signature, R, ARITY> {
    pub(crate) fn task(&self) -> Result<TaskRef, Error> {
        self.task.clone()
    }
}

/// A closure of which everything is known but what it runs.
#[derive(Debug)]
pub struct Unfinished<Signature, const ARITY: usize, P, C> {
    captures: Captured<C>,
    of: PhantomData<fn() -> (Signature, P)>,
}

/// Begins a closure that stands at `P` and captures `captures`.
pub fn closure<Signature, const ARITY: usize, P: Named, C: Capture>(
    _: P,
    captures: Captured<C>,
) -> Unfinished<Signature, ARITY, P, C> {
    Unfinished { captures, of: PhantomData }
}

impl<Signature, const ARITY: usize, P: Named, C: Capture + 'static> Unfinished<Signature, ARITY, P, C> {
    /// The closure that runs `glue`.
    pub fn runs<G, R>(self, _: G) -> Closure<Signature, R, ARITY>
    where
        G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
        R: Returned,
    {
        const { G::CAPTURES_NOTHING };
        Closure { task: task::<P, C, G, R>(self.captures), of: PhantomData }
    }
}

macro_rules! forms {
    ($arity:literal $(, $A:ident $A1:ident $a:ident)*) => {
        impl<Signature, R: DeserializeOwned> Closure<Signature, R, $arity> {
            /// Starts a call in a worker process of the pool and returns its handle.
            ///
            /// # Errors
            ///
            /// None here: whatever is wrong, an argument or a capture that cannot be encoded included, is in the
            /// handle.
            ///
            /// # Blocking
            ///
            /// Only if the pool has a queue limit and the queue is full.
            pub fn spawn<$($A: Serialize),*>(&self $(, $a: $A)*) -> JoinHandle<R>
            where
                Signature: Fn($($A),*),
            {
                self.bind($($a),*).spawn()
            }

            /// Runs a call in a worker process and waits for its result: `spawn` and `join`.
            ///
            /// # Errors
            ///
            /// Whatever [`JoinHandle::join`] reports.
            ///
            /// # Blocking
            ///
            /// Until the call has its result.
            pub fn run<$($A: Serialize),*>(&self $(, $a: $A)*) -> Result<R, Error>
            where
                Signature: Fn($($A),*),
            {
                self.bind($($a),*).run()
            }

            /// Describes a call without starting it: the place for options such as a timeout.
            pub fn bind<$($A: Serialize),*>(&self $(, $a: $A)*) -> Call<R>
            where
                Signature: Fn($($A),*),
            {
                Call::new(self.task(), encode_arguments(|_writer| {$(_writer.give($a);)*}))
            }
        }
    };
}

for_each_arity!(from 0, forms);

impl<Signature, R, const ARITY: usize> Clone for Closure<Signature, R, ARITY> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), of: PhantomData }
    }
}

impl<Signature, R, const ARITY: usize> fmt::Debug for Closure<Signature, R, ARITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.task.as_ref().map(|task| task.entry.name);
        f.debug_struct("Closure").field("task", &task).finish_non_exhaustive()
    }
}
