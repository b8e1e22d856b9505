//! Settings on their way to another machine: what the workers there are to be like.
//!
//! What is decided where calls are spawned stays: limits of the queue, and what calls have by default. What cannot travel is
//! named: whoever wants it keeps the pool on this machine.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Interrupt, Output, Settings};
use crate::confinement::Confinement;
use crate::errand::{Initializer, InitializerSaid};

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SettingsSaid {
    name: String,
    /// `None`: as many as the machine has processors for us.
    pub(crate) workers: Option<usize>,
    spares: usize,
    idle_timeout: Option<Duration>,
    min_workers: usize,
    environment: Vec<(OsString, Option<OsString>)>,
    current_dir: Option<PathBuf>,
    max_calls_per_worker: Option<u64>,
    memory_limit: Option<u64>,
    memory_growth_limit: Option<u64>,
    output: OutputSaid,
    zygote: bool,
    confinement: Confinement,
    initializers: Vec<InitializerSaid>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum OutputSaid {
    Inherit,
    Prefix,
    Capture,
    Null,
}

impl Settings {
    /// Which setting cannot travel, if there is one.
    pub(crate) fn that_stays(&self) -> Option<&'static str> {
        let stay = [
            (self.initializers.iter().any(|initializer| initializer.said().is_none()), "initializer"),
            (!self.finalizers.is_empty(), "finalizer"),
            (self.env_per_worker.is_some(), "env_per_worker"),
            (self.cpu_affinity.is_some(), "cpu_affinity"),
        ];
        stay.into_iter().find(|(is_set, _)| *is_set).map(|(_, setting)| setting)
    }

    pub(crate) fn said(&self) -> SettingsSaid {
        SettingsSaid {
            name: self.name.clone(),
            workers: self.is_sized.then_some(self.workers),
            spares: self.spares,
            idle_timeout: self.idle_timeout,
            min_workers: self.min_workers,
            environment: self.environment.clone(),
            current_dir: self.current_dir.clone(),
            max_calls_per_worker: self.max_calls_per_worker,
            memory_limit: self.memory_limit,
            memory_growth_limit: self.memory_growth_limit,
            output: match self.output {
                Output::Inherit => OutputSaid::Inherit,
                Output::Prefix => OutputSaid::Prefix,
                Output::Capture => OutputSaid::Capture,
                Output::Null => OutputSaid::Null,
            },
            zygote: self.zygote,
            confinement: self.confinement.clone(),
            initializers: self.initializers.iter().filter_map(Initializer::said).collect(),
        }
    }
}

impl SettingsSaid {
    /// The settings of a pool on this machine, which has so many processors for us.
    /// `None` if this program has no such task as is to be run first.
    pub(crate) fn heard(self, cpus: usize) -> Option<Settings> {
        let initializers: Option<Vec<_>> = self.initializers.into_iter().map(InitializerSaid::heard).collect();
        let workers = self.workers.unwrap_or(cpus).max(1);
        Some(Settings {
            workers,
            spares: self.spares,
            idle_timeout: self.idle_timeout,
            min_workers: self.min_workers.min(workers),
            environment: self.environment,
            current_dir: self.current_dir,
            max_calls_per_worker: self.max_calls_per_worker,
            memory_limit: self.memory_limit,
            memory_growth_limit: self.memory_growth_limit,
            output: match self.output {
                OutputSaid::Inherit => Output::Inherit,
                OutputSaid::Prefix => Output::Prefix,
                OutputSaid::Capture => Output::Capture,
                OutputSaid::Null => Output::Null,
            },
            // What interrupts the program is the business of whoever has spawned the calls.
            on_interrupt: Interrupt::Ignore,
            is_hosted: true,
            zygote: self.zygote,
            confinement: self.confinement,
            initializers: initializers?,
            name: self.name,
            ..Settings::default_for(cpus)
        })
    }
}
