//! Settings that bound how much memory workers may have.

use super::PoolBuilder;

impl PoolBuilder {
    /// How many bytes of *private* memory a worker may have. Past it, it is killed, with all that it has started, and
    /// the call that ran in it ends in [`ErrorKind::MemoryLimit`](crate::ErrorKind::MemoryLimit), with the figure. It
    /// is never tried again. Default: no limit. Zero is an error at `build`.
    ///
    /// Private is what belongs to the process alone: anonymous memory, in RAM or swapped out. What is only reserved does
    /// not count, nor do shared mappings and files; nor does the memory of other processes that a task has started.
    ///
    /// Calls that lay ready in the worker are run elsewhere, and of a `par_map` only the item that ran fails. A worker
    /// that is found to have too much when it has nothing to do is replaced without a word. An answer that made it out
    /// before the worker was killed counts.
    ///
    /// The limit holds for [initializers](Self::initializer) and [finalizers](Self::finalizer), too. One during which a
    /// worker has too much fails, with the figure: an initializer as any that fails, so that calls which find no worker
    /// end in [`ErrorKind::Initializer`](crate::ErrorKind::Initializer); of a finalizer, whoever is told of its value is
    /// told of [`ErrorKind::MemoryLimit`](crate::ErrorKind::MemoryLimit) instead. What an initializer leaves behind is
    /// looked at when it has returned, so no call is blamed for it.
    ///
    /// # How far past the limit a worker can get
    ///
    /// The pool looks from outside, so that it works whatever code a task runs: at each worker that has something to do,
    /// every 50 milliseconds while it is far from its limit, and up to every millisecond when it is close, which is when
    /// all processors together could fill what is left until the next look. A look takes a few microseconds, four times
    /// as many where the machine has swap. So a worker gets as far past the limit as it can in about a millisecond, if
    /// the processors are free for the pool to look in time. Measured on two of them: by 0.1 to 3 MiB with one thread that
    /// fills memory, by up to 22 MiB with sixteen, and by 70 MiB while the processors were busy with other programs.
    /// Where even that must not be, set the limit of a cgroup, too: it stops whoever would allocate more.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use loky::prelude::*;
    /// use loky::{ErrorKind, Pool};
    ///
    /// #[loky::task]
    /// fn zeroes(len: usize) -> usize {
    ///     let bytes = vec![1_u8; len];
    ///     bytes.iter().filter(|&&byte| byte == 0).count()
    /// }
    ///
    /// # fn demo() -> Result<(), loky::Error> {
    /// let pool = Pool::builder().workers(2).memory_limit(1 << 30).build()?;
    /// assert_eq!(zeroes.bind(1 << 20).on(&pool).run()?, 0);
    /// let error = zeroes.bind(4 << 30).on(&pool).run().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::MemoryLimit);
    /// # Ok(())
    /// # }
    /// ```
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.settings.memory_limit = Some(bytes);
        self
    }

    /// By how many bytes the private memory of a worker may grow while it lives; past it, the worker is replaced
    /// between two calls, or between two items of a `par_map`. Nothing is lost, and nothing is said. `None`: never.
    /// Default: 300 MB. Zero is an error at `build`.
    ///
    /// This is for tasks that leak, or leave behind caches and a heap in pieces, and it is no limit for what a single
    /// call may use: see [`memory_limit`](Self::memory_limit) for that. What counts is the growth since the first call
    /// or item that the worker has run, when what that one has loaded is there to stay. What a task has freed does not
    /// count: where the C library keeps it, it is given back to the system before the worker is judged.
    ///
    /// Workers look at themselves, no more often than every 10 milliseconds, which takes them 10 to 20 microseconds. How
    /// late it is they ask after each call or item; while those are tiny, only after every 64th, so that it costs each
    /// less than a nanosecond.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().memory_growth_limit(Some(1_000_000_000)).build()?;
    /// let stubborn = loky::Pool::builder().memory_growth_limit(None).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn memory_growth_limit(mut self, bytes: Option<u64>) -> Self {
        self.settings.memory_growth_limit = bytes;
        self
    }
}
