//! The one thread of a pool: hears what no waiter hears, and does what takes too long to be done under the lock.
//!
//! Its chores come over a channel without a limit of its own, because the scheduler bounds them: at most one launch and
//! one end for each worker.

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Driver;
use crate::config::{KILL_GRACE, Output, Settings};
use crate::cpu;
use crate::env;
use crate::ids::WorkerId;
use crate::supervisor::local::{Recipe, launch};
use crate::supervisor::{Launched, Process};

/// What takes a system call too many.
#[derive(Debug)]
pub(super) enum Chore {
    Launch {
        worker: WorkerId,
        index: usize,
    },
    Kill(Arc<Process>),
    /// Kill a process that nobody waits for, and reap it.
    Discard(Arc<Process>),
}

/// Starts the thread; it ends when the pool has ended.
pub(super) fn start(driver: &Arc<Driver>) -> std::io::Result<JoinHandle<()>> {
    let driver = Arc::clone(driver);
    let life = move || {
        while !driver.is_finished() {
            driver.turn_in_background();
            driver.do_chores();
        }
        driver.show_last_words();
        driver.close();
    };
    thread::Builder::new().name("loky".into()).spawn(life)
}

impl Driver {
    fn do_chores(&self) {
        for chore in self.chores.1.try_iter() {
            match chore {
                Chore::Kill(process) => process.kill_tree(),
                Chore::Discard(process) => {
                    process.kill_tree();
                    process.reap(KILL_GRACE);
                }
                Chore::Launch { worker, index } => {
                    let launched = self.launch(index);
                    self.act(|inner, now| inner.hear_launch(worker, launched, now));
                }
            }
        }
    }

    fn launch(&self, index: usize) -> Result<Launched, String> {
        let settings = self.inner.lock().settings.clone();
        let recipe = recipe(&settings, index)?;
        let bell = self.inner.lock().bell.clone().ok_or("the pool has ended")?;
        launch(&recipe, &bell).map_err(|why| format!("starting a process failed: {why}"))
    }
}

fn recipe(settings: &Settings, index: usize) -> Result<Recipe, String> {
    let mut environment = thread_pool_variables(settings.workers);
    environment.extend(settings.environment.iter().cloned());
    if let Some(variables) = &settings.env_per_worker {
        // This is the user's own code: its panic must cost no more than the launch.
        let variables = panic::catch_unwind(AssertUnwindSafe(|| variables(index)))
            .map_err(|_| format!("`env_per_worker` panicked for worker {index}"))?;
        environment.extend(variables.into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
    }
    let program = env::arguments().into_iter().next().unwrap_or_default();
    let title = format!("{} [loky: worker {index} of {}]", program.to_string_lossy(), settings.name);
    let has_own_output = settings.output != Output::Inherit;
    Ok(Recipe { title, environment, current_dir: settings.current_dir.clone(), has_own_output })
}

/// Lets the thread pools of all workers together have as many threads as there are CPUs, where the program's user has
/// not decided otherwise.
fn thread_pool_variables(workers: usize) -> Vec<(OsString, Option<OsString>)> {
    let threads = (cpu::cpu_count() / workers.max(1)).max(1).to_string();
    env::unset_thread_pools().map(|name| (name.into(), Some(threads.clone().into()))).collect()
}
