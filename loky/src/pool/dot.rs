//! The dot form: `add.spawn(1, 2)` on the function itself.
//!
//! One trait per number of arguments, implemented for every function item; what can travel is asked of each method, so
//! that what cannot is named instead of the method being unknown. The signature of the function fixes the
//! types of the arguments, so whatever coerces in a plain call coerces here. The traits only encode and look the entry
//! up; decoding and lending is the entry's business, and whether anything runs is the call's.

#![expect(clippy::too_many_arguments, reason = "the arguments are the task's own")]

use std::pin::Pin;
use std::task::{Context, Poll};

use serde::de::DeserializeOwned;

use super::call::Call;
use super::handle::JoinHandle;
use crate::error::Error;
use crate::executor;
use crate::task::{
    ArgumentReader, ArgumentWriter, Fault, Returned, Sent, Written, encode_arguments, find, keep, write_result,
};

/// What a call of a task gives, seen from what its function returns.
///
/// `M` says which kind of function it is and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a task",
    label = "cannot travel back from another process",
    note = "a result needs `serde::Serialize` and `serde::Deserialize`: add `#[derive(Serialize, Deserialize)]` to its type; of one that is not yours, return what is in it, such as the text of an error",
    note = "of what is `async`, the result is what it comes to"
)]
pub trait TaskOutput<M> {
    /// What [`JoinHandle::join`] returns.
    type Value: DeserializeOwned;

    /// In the worker: the value, when it is there.
    #[doc(hidden)]
    fn settle(self) -> Self::Value;

    /// Makes the compiler compile whatever gives the value.
    #[doc(hidden)]
    fn compile();
}

/// A function that returns its result as it is.
#[derive(Debug)]
pub enum Plain {}

/// An `async fn`, or another function that returns a future of its result.
#[derive(Debug)]
pub enum Async {}

impl<T: Returned> TaskOutput<Plain> for T {
    type Value = T;

    fn settle(self) -> T {
        self
    }

    fn compile() {}
}

impl<F: Future> TaskOutput<Async> for F
where
    F::Output: Returned,
{
    type Value = F::Output;

    fn settle(self) -> F::Output {
        executor::block_on(self)
    }

    fn compile() {
        keep(F::poll as fn(Pin<&mut F>, &mut Context<'_>) -> Poll<F::Output>);
    }
}

/// In the worker: what a function returned, or what its future comes to.
pub fn settle<R: TaskOutput<M>, M>(returned: R) -> R::Value {
    returned.settle()
}

/// In the worker: what the future of an `async fn` comes to; whether that can travel is asked where it is written.
pub fn finish<F: Future>(future: F) -> F::Output {
    executor::block_on(future)
}

macro_rules! dot_form {
    ($Trait:ident, $count:literal $(, $A:ident $a:ident)*) => {
        #[doc = concat!("The dot form of tasks of ", $count, ".")]
        ///
        /// Implemented for every function that takes and returns what serde can write and read; a function without
        /// `#[loky::task]` compiles and gives [`ErrorKind::UnknownTask`](crate::ErrorKind::UnknownTask).
        pub trait $Trait<$($A,)* R, M> {
            /// Starts a call in a worker process of the pool and returns its handle.
            ///
            /// # Errors
            ///
            /// None here: whatever is wrong, an argument that cannot be encoded included, is in the handle.
            ///
            /// # Blocking
            ///
            /// Only if the pool has a queue limit and the queue is full.
            fn spawn(&self $(, $a: $A)*) -> JoinHandle<R::Value>
            where
                $($A: Sent,)*
                R: TaskOutput<M>;

            /// Runs a call in a worker process and waits for its result: `spawn` and `join`.
            ///
            /// # Errors
            ///
            /// Whatever [`JoinHandle::join`] reports.
            ///
            /// # Blocking
            ///
            /// Until the call has its result.
            fn run(&self $(, $a: $A)*) -> Result<R::Value, Error>
            where
                $($A: Sent,)*
                R: TaskOutput<M>;

            /// Describes a call without starting it: the place for options such as a timeout.
            fn bind(&self $(, $a: $A)*) -> Call<R::Value>
            where
                $($A: Sent,)*
                R: TaskOutput<M>;
        }

        impl<Function, $($A,)* R, M> $Trait<$($A,)* R, M> for Function
        where
            Function: Fn($($A),*) -> R + 'static,
        {
            fn spawn(&self $(, $a: $A)*) -> JoinHandle<R::Value>
            where
                $($A: Sent,)*
                R: TaskOutput<M>,
            {
                self.bind($($a),*).spawn()
            }

            fn run(&self $(, $a: $A)*) -> Result<R::Value, Error>
            where
                $($A: Sent,)*
                R: TaskOutput<M>,
            {
                self.bind($($a),*).run()
            }

            fn bind(&self $(, $a: $A)*) -> Call<R::Value>
            where
                $($A: Sent,)*
                R: TaskOutput<M>,
            {
                let task = find::<Function>(|| {
                    keep((|function: &Function, $($a: $A),*| function($($a),*)) as fn(&Function, $($A),*) -> R);
                    R::compile();
                });
                Call::new(task, encode_arguments(|_writer| {$(_writer.give($a);)*}))
            }
        }
    };
}

dot_form!(Task0, "no argument");
dot_form!(Task1, "one argument", A a);
dot_form!(Task2, "two arguments", A a, B b);
dot_form!(Task3, "three arguments", A a, B b, C c);
dot_form!(Task4, "four arguments", A a, B b, C c, D d);
dot_form!(Task5, "five arguments", A a, B b, C c, D d, E e);
dot_form!(Task6, "six arguments", A a, B b, C c, D d, E e, F f);
dot_form!(Task7, "seven arguments", A a, B b, C c, D d, E e, F f, G g);
dot_form!(Task8, "eight arguments", A a, B b, C c, D d, E e, F f, G g, H h);
dot_form!(Task9, "nine arguments", A a, B b, C c, D d, E e, F f, G g, H h, I i);
dot_form!(Task10, "ten arguments", A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
dot_form!(Task11, "eleven arguments", A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
dot_form!(Task12, "twelve arguments", A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);

/// The call that the path form of a task describes.
pub fn bind<Function: 'static, R>(_: Function, write: impl FnOnce(&mut ArgumentWriter<'_>)) -> Call<R> {
    Call::new(find::<Function>(|| {}), encode_arguments(write))
}

/// What can be done with a task that returns `R`, because `R` can travel.
///
/// The bound stands only where this is made, at the return type that the user wrote; a type that cannot travel is
/// reported there, once, and nowhere else.
#[derive(Debug)]
pub struct Returns<R> {
    write: fn(&mut Written, R) -> Result<(), Fault>,
    spawn: fn(Call<R>) -> JoinHandle<R>,
    run: fn(Call<R>) -> Result<R, Error>,
}

/// The only value for `R`.
pub fn returns<R: Returned>() -> Returns<R> {
    Returns { write: write_result, spawn: Call::spawn, run: Call::run }
}

impl<R> Returns<R> {
    /// In the worker: reads the arguments and calls the function by `call`, and appends the result to `result`.
    ///
    /// # Errors
    ///
    /// The bytes are not the arguments of this task, or the result refuses to be encoded.
    #[inline]
    pub fn answer(
        &self,
        arguments: &mut ArgumentReader<'_>,
        result: &mut Written,
        call: impl FnOnce(&mut ArgumentReader<'_>) -> Result<R, Fault>,
    ) -> Result<(), Fault> {
        (self.write)(result, call(arguments)?)
    }

    /// The path form `add::spawn(…)`.
    pub fn spawn(&self, call: Call<R>) -> JoinHandle<R> {
        (self.spawn)(call)
    }

    /// The path form `add::run(…)`.
    ///
    /// # Errors
    ///
    /// Whatever kept the call from having a result.
    pub fn run(&self, call: Call<R>) -> Result<R, Error> {
        (self.run)(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_run_reads_calls_and_answers() {
        let arguments = encode_arguments(|writer| writer.write(&20_u32)).unwrap();
        let mut arguments = ArgumentReader::new(&arguments.bytes);
        let (mut by_task, mut expected) = (Written::default(), Written::default());
        returns::<u64>()
            .answer(&mut arguments, &mut by_task, |reader| Ok(u64::from(reader.read::<u32>()?) + 1))
            .unwrap();
        write_result(&mut expected, 21_u64).unwrap();
        assert_eq!(by_task.bytes, expected.bytes);
    }

    #[test]
    fn nothing_is_run_on_damaged_arguments() {
        let mut result = Written::default();
        let mut damaged = ArgumentReader::new(&[1, 2, 3]);
        let fault = returns::<u8>().answer(&mut damaged, &mut result, |reader| reader.read::<u8>());
        assert!(matches!(fault, Err(Fault::Decode(_))) && result.bytes.is_empty());
    }

    #[test]
    fn the_dot_form_takes_what_the_function_takes() {
        fn of_three(text: &str, all: &[f64], count: usize) -> usize {
            text.len() + all.len() + count
        }
        let (text, all) = (String::from("abc"), vec![1.0]);
        for handle in [of_three.spawn("a", &[1.0, 2.0], 3), of_three.spawn(&text, &all, 0)] {
            assert_eq!(handle.join().unwrap_err().kind(), ErrorKind::UnknownTask);
        }
    }
}
