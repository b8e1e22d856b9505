//! The setting of what becomes of what tasks print.

use super::PoolBuilder;
use crate::config::Output;

impl PoolBuilder {
    /// What becomes of what tasks print, and of what C code and whatever they start writes to standard output and
    /// standard error. Default: [`Output::Inherit`]; with the feature `test`, [`Output::Capture`].
    ///
    /// Nobody has to read it for calls to go on, but somebody has to take it: if the program's own stream is stuck (a
    /// terminal that was stopped, a pipe that is full), tasks that print wait for it under `Inherit` and `Prefix`, as
    /// they would in the program itself. Under `Capture` and `Null` they never wait.
    ///
    /// Where a line or a text belongs to a call, workers are sent no call before they have answered the last one: many
    /// tiny calls take longer under `Prefix` and `Capture`, unless they travel in the chunks of a
    /// [`par_map`](crate::ParMap).
    ///
    /// # Examples
    ///
    /// ```
    /// use loky::prelude::*;
    ///
    /// #[loky::task]
    /// fn work(part: u32) {
    ///     println!("part {part} is done");
    /// }
    ///
    /// # loky::main! { fn main() -> Result<(), loky::Error> {
    /// let pool = loky::Pool::builder().workers(2).output(loky::Output::Prefix).build()?;
    /// (0..4).par_map(work).on(&pool).unwrap_all(); // [1 my_crate::work] part 3 is done
    /// # Ok(()) } }
    /// ```
    pub fn output(mut self, output: Output) -> Self {
        self.settings.output = output;
        self
    }
}
