//! What the benchmark says: which figures there are, how they are written, compared and put into the documentation.
//!
//! Pure: nothing here measures anything, starts anything or reads a clock. That is done by `speed`, beside this.

mod document;
mod figure;
mod outcome;
mod table;

pub use document::{BEGIN, END, replace_tables};
pub use figure::{FIGURES, Figure, Unit};
pub use outcome::{Outcome, Spread, Summary};
pub use table::{Row, markdown, text};
