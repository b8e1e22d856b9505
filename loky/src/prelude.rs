//! Everything that the dot form and `par_map` need: `use loky::prelude::*;`.
//!
//! Traits only. Those of the dot form come without their names, so that nothing of yours is shadowed.
//!
//! ```
//! use loky::prelude::*;
//!
//! #[loky::task]
//! fn double(x: u64) -> u64 {
//!     2 * x
//! }
//!
//! # loky::main! { fn main() -> Result<(), loky::Error> {
//! assert_eq!(double.run(21)?, 42);
//! let all: Vec<u64> = (0..3).par_map(double).collect::<Result<_, _>>()?;
//! assert_eq!(all, [0, 2, 4]);
//! # Ok(()) } }
//! ```

pub use crate::par_map::ParMap;
pub use crate::pool::dot::{Task0 as _, Task1 as _, Task2 as _, Task3 as _, Task4 as _, Task5 as _, Task6 as _};
pub use crate::pool::dot::{Task7 as _, Task8 as _, Task9 as _, Task10 as _, Task11 as _, Task12 as _};
