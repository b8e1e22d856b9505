//! Settings of what each worker runs for its pool: initializers before its first call, finalizers after its last one.

use std::fmt::Display;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::PoolBuilder;
use crate::errand::{Answer, Finalizer, Initializer};
use crate::error::Error;
use crate::pool::{Call, decode_enclosing};
use crate::task;

/// What an [initializer](PoolBuilder::initializer) may return: nothing, or a `Result` without a value whose error can be
/// shown.
///
/// # Examples
///
/// ```
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn check_license(path: &str) -> Result<(), String> {
///     std::fs::read(path).map(drop).map_err(|why| format!("{path}: {why}"))
/// }
///
/// # fn main() -> Result<(), loky::Error> {
/// let pool = loky::Pool::builder().initializer(check_license.bind("/etc/solver.lic")).build()?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "an initializer returns nothing or a `Result<(), E>` with an `E: Display`, not `{Self}`",
    note = "what an initializer makes stays in its worker, in a static for instance"
)]
pub trait InitializerResult: DeserializeOwned {
    /// Whether the worker may serve.
    ///
    /// # Errors
    ///
    /// Why it may not, as the error of the calls that wait for it tells.
    fn into_verdict(self) -> Result<(), String>;
}

impl InitializerResult for () {
    fn into_verdict(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display + DeserializeOwned> InitializerResult for Result<(), E> {
    fn into_verdict(self) -> Result<(), String> {
        self.map_err(|why| why.to_string())
    }
}

impl PoolBuilder {
    /// What each worker runs before its first call: loads a model, opens a connection, starts a logger. Default: nothing.
    ///
    /// May be said several times; then they run in that order, each after the one before it has succeeded. They run in
    /// every worker, replacements, [spares](Self::spares) and copies of a [zygote](Self::zygote) among them; their
    /// arguments were encoded at `bind` and are the same for all. What an initializer makes stays in its worker, where
    /// calls find it: in a `static`, as a rule. [`worker()`](crate::worker()) tells it who it is. What it prints goes
    /// where the output of a worker without a call goes.
    ///
    /// # If it fails
    ///
    /// It fails if it returns an `Err`, panics, ends its process, takes too long, or makes its worker larger than the
    /// [memory limit](Self::memory_limit). The worker is killed then, and
    /// another one tried; after three failures in a row without a worker that could serve, the calls that wait end in
    /// [`ErrorKind::Initializer`](crate::ErrorKind::Initializer), with all that is known of the last one. None of them
    /// has run. For a second after that, calls that find no worker end likewise at once; later calls try again.
    ///
    /// # Limits
    ///
    /// [`timeout`](Call::timeout) on the call, or else that of its task, or else that [of the pool](Self::timeout),
    /// limits its run; past it, the worker is killed. Without one it may take as long as it likes, and calls wait for
    /// it: an initializer that never returns is ended by [`shutdown_now`](crate::Pool::shutdown_now), at once, and when
    /// no call waits any more, by [`shutdown`](crate::Pool::shutdown), too. `.on`, `.retries`, `.priority`,
    /// `.queue_timeout` and `.deadline` have no meaning here, and are an error at `build`; `retries` of its task do not
    /// count.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::sync::OnceLock;
    /// use loky::prelude::*;
    ///
    /// static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    ///
    /// #[loky::task]
    /// fn load(path: &str) -> Result<(), String> {
    ///     let model = std::fs::read(path).map_err(|why| format!("{path}: {why}"))?;
    ///     MODEL.set(model).map_err(|_| "it was loaded before".to_string())
    /// }
    ///
    /// #[loky::task]
    /// fn predict(x: usize) -> u8 {
    ///     MODEL.get().expect("each worker has loaded it")[x]
    /// }
    ///
    /// # fn demo() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = loky::Pool::builder().initializer(load.bind("model.bin")).build()?;
    /// let first = predict.bind(0).on(&pool).run()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn initializer<I: InitializerResult>(mut self, call: Call<I>) -> Self {
        match call.into_errand("initializer") {
            Ok(errand) => self.settings.initializers.push(Initializer { errand, judge: judge::<I> }),
            Err(fault) => self.note(fault),
        }
        self
    }

    /// What each worker runs after its last call, and who is told of its value: writes a profile, closes what has to be
    /// closed, gives back what was counted. Default: nothing.
    ///
    /// It runs in every worker that leaves in an orderly way: in a [`shutdown`](crate::Pool::shutdown), when the pool is
    /// made smaller, after the [idle timeout](Self::idle_timeout), or after its
    /// [number of calls](Self::max_calls_per_worker). It does not run in a worker that is killed or dies. May be said
    /// several times; then they run in the opposite order, so that what was set up last is taken down first, and one
    /// that fails does not keep the others from running.
    ///
    /// `told` is called once for each worker that was asked to run the finalizer, with its value or with why there is
    /// none: a panic, a timeout, too much memory, the death of the worker. It is called where [`on_done`](crate::JoinHandle::on_done)
    /// callbacks are, one after the other, off the pool's own paths. `shutdown` returns after the last of them. Where
    /// `main` returns without a `shutdown`, the workers are gone before they have run anything.
    ///
    /// # Limits
    ///
    /// [`timeout`](Call::timeout) on the call, or else that of its task, or else 5 seconds; past it, the worker is
    /// killed. What else a call can be told is refused as for an [initializer](Self::initializer).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use loky::prelude::*;
    ///
    /// static SERVED: AtomicU64 = AtomicU64::new(0);
    ///
    /// #[loky::task]
    /// fn serve(x: u64) -> u64 {
    ///     SERVED.fetch_add(1, Ordering::Relaxed);
    ///     x * x
    /// }
    ///
    /// #[loky::task]
    /// fn served() -> u64 {
    ///     SERVED.load(Ordering::Relaxed)
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let report = |count: Result<u64, loky::Error>| println!("a worker has served {count:?}");
    /// let pool = loky::Pool::builder().workers(2).finalizer(served.bind(), report).build()?;
    /// let squares: Vec<u64> = (0..100).par_map(serve).on(&pool).collect::<Result<_, _>>()?;
    /// pool.shutdown();
    /// # Ok(()) } }
    /// ```
    pub fn finalizer<F: DeserializeOwned>(
        mut self,
        call: Call<F>,
        told: impl Fn(Result<F, Error>) + Send + Sync + 'static,
    ) -> Self {
        match call.into_errand("finalizer") {
            Ok(errand) => {
                let name = errand.name();
                let told = Arc::new(move |value: Result<Answer, Error>| {
                    told(value.and_then(|(bytes, arrivals)| decode_enclosing(&bytes, arrivals, name)));
                });
                self.settings.finalizers.push(Finalizer { errand, told });
            }
            Err(fault) => self.note(fault),
        }
        self
    }

    /// The first fault is the one that is told.
    fn note(&mut self, fault: Error) {
        self.fault.get_or_insert(fault);
    }
}

fn judge<I: InitializerResult>(answer: &[u8]) -> Result<(), String> {
    let result: I = task::decode(answer).map_err(|why| format!("returned what cannot be decoded: {why}"))?;
    task::contain(|| result.into_verdict()).map_err(|why| format!("returned an error: {why}"))
}
