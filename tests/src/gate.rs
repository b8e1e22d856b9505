//! A meeting point for tasks in other processes, made of files: they arrive, are counted, and wait to be let through.
//!
//! Files, because they need nothing of the library under test, survive the death of whoever came, and can be looked at.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{scratch, within};

/// A meeting point; travels as an argument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gate(PathBuf);

impl Gate {
    /// A closed gate at which nobody has arrived, in the case's scratch folder.
    pub fn new(name: &str) -> Self {
        let folder = scratch().join(name);
        fs::create_dir(&folder).expect("each gate of a case has a name of its own");
        Self(folder)
    }

    /// The gate of this name that the case, or the program that started this one, has made.
    pub fn of_the_case(name: &str) -> Self {
        Self(scratch().join(name))
    }

    /// Leaves a line, in whichever process; what arrived is never lost, even if the process dies at once.
    pub fn arrive(&self, who: &str) {
        let path = self.0.join("arrivals");
        let mut file = File::options().create(true).append(true).open(path).expect("the gate's folder exists");
        file.write_all(format!("{who}\n").as_bytes()).expect("an append of one short line succeeds");
    }

    /// Who has arrived so far, in order.
    pub fn arrivals(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.join("arrivals")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until `count` have arrived.
    #[track_caller]
    pub fn await_arrivals(&self, count: usize) -> Vec<String> {
        let arrived = within(PATIENCE, || Some(self.arrivals()).filter(|arrived| arrived.len() >= count));
        arrived.unwrap_or_else(|| panic!("of {count} only these arrived: {:?}", self.arrivals()))
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        File::create(self.0.join("open")).expect("the gate's folder exists");
    }

    /// Waits, in whichever process, until the gate is opened.
    #[track_caller]
    pub fn pass(&self) {
        let is_open = || self.0.join("open").exists().then_some(());
        within(PATIENCE, is_open).unwrap_or_else(|| panic!("{} was never opened", self.0.display()));
    }
}

/// Below the limit of a case, so that the gate says who is missing before the warden says that it is late.
const PATIENCE: Duration = Duration::from_secs(50);
