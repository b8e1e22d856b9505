//! The attribute of the `loky` crate, and the half of `loky::closure!` that is more than a pattern. Use them by their
//! names in `loky`; what they mean is told there.
//!
//! Read it in the order in which it works: the options of the attribute, the signature of the function, the code
//! that is written beside it. Every mistake is collected on the way and reported at its own tokens, all at once. What
//! can be a function of the library is one; nothing here knows how a task is run.

mod closure;
mod entry;
mod expand;
mod fallback;
mod home;
mod instance;
mod mistakes;
mod options;
mod parameters;
mod path_form;
mod signature;
mod tasks;

use proc_macro2::TokenStream;
use quote::quote;

use mistakes::Mistakes;
use options::Options;
use signature::Signature;

/// Makes a function a task: it can still be called as before, and it can be run in another process.
///
/// `add.spawn(1, 2)` (with `use loky::prelude::*;`) and `add::spawn(1, 2)` start a call in a worker process and return
/// its handle; `run` waits for the result; `bind` describes the call, for options such as a timeout. The function
/// itself stays as it is written.
///
/// # What can be a task
///
/// A free function, wherever it stands, of at most 12 arguments, whose arguments and result serde can write and read.
/// For a method or an associated function, see [`tasks`](macro@tasks).
///
/// An argument may be borrowed: `&T`, `&str`, `&[T]` and `&Path` are encoded from the caller's value, decoded in
/// the worker and lent to the function there.
///
/// An `async fn` runs to its end in the worker. With the feature `tokio` of `loky` it does so within a tokio runtime;
/// otherwise a future that waits for something has to bring along whatever wakes it.
///
/// A generic function is a task for all its instances. The types in its signature must be able to travel, and the
/// attribute adds those bounds to the function (`T: Serialize + DeserializeOwned` in effect), so they hold for plain
/// calls of it, too. Of a generic `const fn`, no instance can be found, so it can only be called here.
///
/// # If the worker dies
///
/// The call ends in an error of the kind `Crash`, which names the signal or the exit code, and no other call is touched. With
/// `retries` it is tried again; ask for that only if running the function twice is safe, since it may have done all that it
/// does before its process died.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn norm(xs: &[f64], p: f64) -> f64 {
///     xs.iter().map(|x| x.abs().powf(p)).sum::<f64>().powf(1.0 / p)
/// }
///
/// loky::main! {
///     fn main() -> Result<(), loky::Error> {
///         assert_eq!(norm(&[3.0, 4.0], 2.0), 5.0); // here
///         assert_eq!(norm.spawn(&[3.0, 4.0], 2.0).join()?, 5.0); // in a worker process
///         assert_eq!(norm::run(&[3.0, 4.0], 2.0)?, 5.0); // the same, without the prelude
///         Ok(())
///     }
/// }
/// ```
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "…"` | the name in errors and logs, unique in the program | the path of the function |
/// | `timeout = "2s"` | how long a call may run: a whole number of `ms`, `s` or `m` | the pool's |
/// | `retries = 3` | extra attempts after the death of a worker | the pool's |
/// | `crate = path` | where the `loky` crate is, for those who re-export it | `::loky` |
#[proc_macro_attribute]
pub fn task(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    write_task(options.into(), item.into()).into()
}

/// Makes methods and associated functions tasks: those in this impl block that have `#[loky::task]`.
///
/// The block may be generic, and may implement a trait; the attribute of each task takes the same options as that of a
/// function. The dot form takes the value first: `Model::predict.spawn(&model, 1.0)`. There is no path form. `self`,
/// `&self` and `self: Box<Self>` travel like any argument, so the type needs `Serialize` and `Deserialize`.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Model {
///     factor: f64,
/// }
///
/// #[loky::tasks]
/// impl Model {
///     #[loky::task]
///     fn predict(&self, x: f64) -> f64 {
///         self.factor * x
///     }
/// }
///
/// # loky::main! { fn main() -> Result<(), loky::Error> {
/// let model = Model { factor: 2.0 };
/// assert_eq!(Model::predict.run(&model, 1.5)?, 3.0);
/// # Ok(()) } }
/// ```
///
/// # Options
///
/// `#[loky::tasks(crate = path)]` says for the whole block where the `loky` crate is; default: `::loky`.
#[proc_macro_attribute]
pub fn tasks(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    tasks::write(options.into(), &item.into()).into()
}

/// What `loky::closure!` hands its tokens to; everything about it is told there.
#[doc(hidden)]
#[proc_macro]
pub fn closure(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    closure::write(tokens.into()).into()
}

fn write_task(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let options = Options::parse(options, &mut mistakes);
    let Some(mut function) = signature::parse(&item, &mut mistakes) else {
        return fallback::item_alone(&item, mistakes);
    };
    let item = if signature::refuse_second(&mut function.attrs, &mut mistakes) { quote!(#function) } else { item };
    let signature = Signature::check(&function.attrs, &function.vis, &function.sig, None, &mut mistakes);
    if mistakes.are_none() {
        expand::task(function, &item, &signature, &options)
    } else if signature.can_have_path_form {
        fallback::task(&item, &signature, &options, mistakes)
    } else {
        fallback::item_alone(&item, mistakes)
    }
}
