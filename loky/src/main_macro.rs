//! `loky::main!`: catches worker processes before any code of the program runs.
//!
//! Syntax only. What catching means is known to `init`; the user's `main` becomes a function of the same name inside
//! the real one, so that attributes such as `#[tokio::main]` stay on it and start nothing in a worker.

/// Writes the `main` of a program whose tasks run in worker processes.
///
/// A worker is this same program, started again. `main!` catches it before any of the code in your `main` runs, so
/// nothing that `main` does (reading arguments, opening files, starting a runtime) happens twice. There are three
/// forms.
///
/// # The block
///
/// Your `main` as you would write it, with whatever attributes, visibility and return type it has:
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
///
/// loky::main! {
///     fn main() -> Result<(), loky::Error> {
///         println!("{}", add.run(1, 2)?);
///         Ok(())
///     }
/// }
/// ```
///
/// An `async fn main` keeps the attribute of its runtime, `#[tokio::main]` or another.
///
/// # The path
///
/// The name of a function without arguments, which may return whatever a `main` may:
///
/// ```
/// fn real_main() -> std::process::ExitCode {
///     std::process::ExitCode::SUCCESS
/// }
///
/// loky::main!(real_main);
/// ```
///
/// # The statement
///
/// For a `main` written by hand; it has to be the first statement, since workers run what stands before it. It is the
/// same as [`init`](crate::init).
///
/// ```
/// fn main() {
///     loky::main!();
///     println!("this is not a worker");
/// }
/// ```
///
/// # If the program is interrupted
///
/// When your `main` returns, or panics, after a Ctrl-C that its pools have heeded, the program ends as by that signal and
/// not by what `main` has returned: an error that comes of the interrupt is not reported. See
/// [`PoolBuilder::on_interrupt`](crate::PoolBuilder::on_interrupt); the statement form leaves the end to you.
///
/// # What happens without it
///
/// A call that is spawned ends at once in an error that names this macro, [`ErrorKind::NotInitialized`]; no process is
/// started. Tests, doctests, benches and examples have the feature `test` instead; both may be there at once.
///
/// [`ErrorKind::NotInitialized`]: crate::ErrorKind::NotInitialized
#[expect(clippy::needless_doctest_main, reason = "where `main` stands is what the examples show")]
#[macro_export]
macro_rules! main {
    () => {
        $crate::private::init()
    };
    // It would remove the inner function and leave the outer one, which would call itself.
    (#[cfg $condition:tt] $($main:tt)+) => {
        ::core::compile_error!("`#[cfg]` goes before `loky::main!`, not inside of it");
        fn main() {}
    };
    ($vis:vis async fn main() $($rest:tt)*) => {
        ::core::compile_error!("`async fn main` needs the attribute of a runtime, such as `#[tokio::main]`");
        // Without it, the compiler would complain a second time: of a program without `main`.
        fn main() {}
    };
    ($(#[$attribute:meta])* $vis:vis async fn main() $(-> $result:ty)? { $($body:tt)* }) => {
        /// Where the program begins.
        $vis fn main() -> ::std::process::ExitCode {
            $crate::private::init();
            $(#[$attribute])*
            async fn main() $(-> $result)? { $($body)* }
            $crate::private::end(main)
        }
    };
    ($(#[$attribute:meta])* $vis:vis fn main() $(-> $result:ty)? { $($body:tt)* }) => {
        /// Where the program begins.
        $vis fn main() -> ::std::process::ExitCode {
            $crate::private::init();
            $(#[$attribute])*
            fn main() $(-> $result)? { $($body)* }
            $crate::private::end(main)
        }
    };
    // Not a `path`: what looks like one to begin with would end in the compiler's words instead of ours.
    (:: $($segment:ident)::+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::private::init();
            $crate::private::end(:: $($segment)::+)
        }
    };
    ($($segment:ident)::+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::private::init();
            $crate::private::end($($segment)::+)
        }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`loky::main!` takes a whole `fn main() { … }`, or the name of a function, or, inside of `main`, nothing"
        );
        fn main() {}
    };
}
