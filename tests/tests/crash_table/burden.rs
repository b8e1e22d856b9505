//! What travels: an argument or a result that strikes while it is encoded, decoded or dropped; and the stroke itself.
//!
//! Before it strikes, whoever is to be struck says so at the point, and waits for the word. What comes from outside is
//! the director's business; then it only waits.

use std::process::{abort, exit, id};

use loky_tests::tasks::Blob;
use loky_tests::{Gate, sys};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dimensions::{How, Place};
use crate::row::Row;

/// What an error or a panic of a row says.
pub(crate) const WORDS: &str = "as the row wants it";

/// More than what a link takes in at once.
const LONG: usize = 8 << 20;

/// Where the stricken arrive, with their pids.
pub(crate) fn point() -> Gate {
    Gate::of_the_case("point")
}

/// Opened when it shall strike.
pub(crate) fn word() -> Gate {
    Gate::of_the_case("word")
}

/// Strikes this process, if it is time. Gives back what can be told of in words.
pub(crate) fn strike(row: Row) -> Result<(), &'static str> {
    point().arrive(&id().to_string());
    word().pass();
    deed(row)
}

fn deed(row: Row) -> Result<(), &'static str> {
    match row.how {
        How::Error => Err(WORDS),
        How::Panic => panic!("{WORDS}"),
        // Nothing may say so twice.
        How::Exit if row.place == Place::Exit => sys::exit_now(0),
        How::Exit => exit(0),
        How::Abort => abort(),
        How::Segfault => sys::null_write(),
        How::Kill | How::StopAndKill => unreachable!("the director opens no gate for that"),
    }
}

/// Leaves a thread that strikes this worker, if it is the one that is said to be at the point; as a library may that
/// was used before.
#[loky::task]
pub(crate) fn lurk(row: Row) {
    std::thread::spawn(move || {
        word().pass();
        if point().arrivals().first() == Some(&id().to_string()) {
            deed(row).expect("no row has an error here");
        }
    });
}

/// What travels with the call of a row.
pub(crate) struct Burden {
    row: Row,
    /// Or else an argument.
    is_result: bool,
    /// Decoded, or else the one that was made.
    is_copy: bool,
    /// Which process has made it.
    pub(crate) maker: u32,
    weight: Blob,
}

impl Burden {
    pub(crate) fn argument(row: Row) -> Self {
        Self { row, is_result: false, is_copy: false, maker: id(), weight: weight(row, Place::ArgumentTransit) }
    }

    pub(crate) fn result(row: Row) -> Self {
        Self { row, is_result: true, is_copy: false, maker: id(), weight: weight(row, Place::ResultTransit) }
    }

    /// Whether every byte has come.
    pub(crate) fn is_whole(&self) -> bool {
        let transit = if self.is_result { Place::ResultTransit } else { Place::ArgumentTransit };
        self.weight == weight(self.row, transit)
    }

    fn strike_at(&self, of_argument: Place, of_result: Place) -> Result<(), &'static str> {
        let here = if self.is_result { of_result } else { of_argument };
        if self.row.place == here { strike(self.row) } else { Ok(()) }
    }
}

/// Only what is struck on its way has to be long.
fn weight(row: Row, transit: Place) -> Blob {
    Blob(vec![7; if row.place == transit { LONG } else { 0 }])
}

impl Serialize for Burden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.strike_at(Place::EncodeArgument, Place::EncodeResult).map_err(S::Error::custom)?;
        (self.row, self.is_result, self.maker, &self.weight).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Burden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (row, is_result, maker, weight) = Deserialize::deserialize(deserializer)?;
        let burden = Self { row, is_result, is_copy: true, maker, weight };
        burden.strike_at(Place::DecodeArgument, Place::DecodeResult).map_err(D::Error::custom)?;
        Ok(burden)
    }
}

/// Only in the worker: the copy of the argument, and the result that was made there.
impl Drop for Burden {
    fn drop(&mut self) {
        if self.is_copy != self.is_result {
            self.strike_at(Place::DropArgument, Place::DropResult).expect("no row has an error here");
        }
    }
}
