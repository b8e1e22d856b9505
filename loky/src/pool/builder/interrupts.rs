//! The setting of what a pool does when the program is interrupted.

use super::PoolBuilder;
use crate::config::Interrupt;

impl PoolBuilder {
    /// What becomes of the pool's calls when the program is interrupted: by Ctrl-C (SIGINT) in its terminal, or by
    /// SIGTERM. Default: [`Interrupt::Drain`].
    ///
    /// **Drain**: calls that have begun are finished. Those that have not end in
    /// [`ErrorKind::Shutdown`](crate::ErrorKind::Shutdown), with [`may_have_run`](crate::Error::may_have_run) false, and
    /// so does whatever is spawned from now on. Then the program ends, as by the signal: a shell sees the status 130,
    /// or 143. A pool that has no calls when the signal comes holds up nobody; if none has any, the program ends at
    /// once. The second signal ends the program without waiting, and kills what runs. (Two within 20 milliseconds count
    /// as one: some programs that start others send theirs to the process and to its group.)
    ///
    /// **Kill**: the first one does that, unless another pool drains: then this one's calls are killed, and end in
    /// `ErrorKind::Shutdown`, while the others finish.
    ///
    /// **Ignore**: this pool does nothing. If all do, the signal has the effect that it has without this library.
    ///
    /// # The end of the program
    ///
    /// When the last call has ended, the program has half a second to make something of the results that have come; then
    /// it ends wherever it is. If the `main` inside of [`loky::main!`](crate::main) returns before, or panics, it ends at
    /// once and as by the signal, whatever `main` has returned; a program with the statement form ends as its own `main`
    /// says. Nothing is printed, but for one line on standard error if that is a terminal and calls are waited for.
    /// Workers do not notice Ctrl-C; what tasks have started does, as far as it belongs to the terminal's foreground.
    ///
    /// A chunk of a [`par_map`](crate::ParMap) is one call: if one of its items has begun, all are finished.
    ///
    /// # Programs that handle signals themselves
    ///
    /// A signal is taken over when the first pool starts, with its first call, and only where the system's default
    /// stands; it is given back when the last pool has ended. A handler that the program has, or installs later, is left
    /// alone, and so is a signal that it ignores: then nothing of this page happens, and it is for the program to call
    /// [`shutdown_now`](crate::Pool::shutdown_now) or [`shutdown_timeout`](crate::Pool::shutdown_timeout) on a thread of
    /// its own, not inside of the handler. Tasks are left alone, too: the pools of a worker take over nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), loky::Error> {
    /// // Tries on inputs that are there again tomorrow: nobody wants to wait for them.
    /// let tries = loky::Pool::builder().workers(2).on_interrupt(loky::Interrupt::Kill).build()?;
    /// # tries.shutdown();
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.settings.on_interrupt = interrupt;
        self
    }
}
