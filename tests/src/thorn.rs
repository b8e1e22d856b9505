//! A value that misbehaves while it is encoded or decoded, in whichever process that happens.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sys;

/// A value that does `fault` at `moment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thorn {
    /// When it misbehaves.
    pub moment: Moment,
    /// How.
    pub fault: Fault,
}

/// When a thorn stings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// While it is encoded: an argument in the program, a result in the worker.
    Encode,
    /// While it is decoded: an argument in the worker, a result in the program.
    Decode,
}

/// How a thorn stings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Returns an error, as a careful implementation does.
    Error,
    /// Panics.
    Panic,
    /// Ends the process with this code, without a word.
    Exit(i32),
    /// Writes to address zero.
    Segfault,
}

/// What the errors and panics of a thorn say.
pub const STING: &str = "a thorn stings";

impl Thorn {
    /// A value that does `fault` at `moment`.
    pub const fn new(moment: Moment, fault: Fault) -> Self {
        Self { moment, fault }
    }

    fn sting(self, moment: Moment) -> Result<(), &'static str> {
        match self.fault {
            _ if self.moment != moment => Ok(()),
            Fault::Error => Err(STING),
            Fault::Panic => panic!("{STING}"),
            Fault::Exit(code) => sys::exit_now(code),
            Fault::Segfault => sys::null_write(),
        }
    }
}

impl Serialize for Thorn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sting(Moment::Encode).map_err(S::Error::custom)?;
        (self.moment, self.fault).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Thorn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (moment, fault) = Deserialize::deserialize(deserializer)?;
        let thorn = Self { moment, fault };
        thorn.sting(Moment::Decode).map_err(D::Error::custom)?;
        Ok(thorn)
    }
}
