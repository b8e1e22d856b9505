//! `loky::closure!`: closures whose captures travel, too.
//!
//! Only the door: finding the captures takes a walk through the closure, which is done in `loky-macros`.

/// Makes a closure that can run in another process, like a task that is written where it is used.
///
/// The types of the arguments are written; what the closure captures is found by itself. The value has the methods of a
/// task, `spawn`, `run` and `bind`, it is accepted wherever a task is, and it can be cloned.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// loky::main! {
///     fn main() -> Result<(), loky::Error> {
///         let k = 10;
///         let times_k = loky::closure!(|x: i64| x * k);
///         assert_eq!(times_k.run(4)?, 40);
///         let all: Result<Vec<i64>, _> = (0..1000).par_map(times_k).collect();
///         assert_eq!(all?.len(), 1000);
///         Ok(())
///     }
/// }
/// ```
///
/// # What is captured, and how
///
/// It means what a `move` closure means, sent. What it captures is encoded where the closure is made, so the caller
/// keeps all of its variables, and what happens to them afterwards changes nothing here:
///
/// | a captured | is in the closure |
/// |---|---|
/// | value | its own: each call has a fresh one, and may give it away |
/// | reference (`&T`, `&str`, `&[T]`, `&Path`) | a reference to a copy of what it points to; nothing needs `Clone` |
/// | function used as a value, `.map(square)` | that function |
/// | `self` | the reference that it is in a method |
///
/// Values, and what references point to, need `serde::Serialize` and `serde::Deserialize`. To change a captured
/// value, bind it again in the body: `let mut total = total;`.
///
/// ```
/// fn scaled(rows: &[f64], unit: &str) -> Result<String, loky::Error> {
///     // The slice and the text are encoded once, here, and not copied for it.
///     loky::closure!(|row: usize| format!("{} {unit}", rows[row])).run(0)
/// }
/// ```
///
/// # The list
///
/// What is captured is found by names: a name in lower case that stands where a value does and that nothing in the
/// closure binds, inside of other macros and of their format strings, too. A macro with a language of its own, or a
/// local variable that is only ever called, can hide one. The compiler then asks for a list, which replaces the search:
///
/// ```
/// let (k, unit) = (10, "km");
/// let length = loky::closure!([k, unit] |x: i64| format!("{} {unit}", x * k));
/// ```
///
/// # Arguments and result
///
/// As those of [`task`](macro@crate::task): at most 12, each of a type that is written out, owned or borrowed as a
/// whole (`&T`, `&str`, `&[T]`); the result is owned. An `async` closure runs to its end in the worker.
#[macro_export]
macro_rules! closure {
    ($($tokens:tt)*) => {
        $crate::private::closure!($crate; $($tokens)*)
    };
}
