//! The one thread of a pool: hears what no waiter hears, and does what takes too long to be done under the lock.
//!
//! Its chores come over channels without limits of their own, because the scheduler bounds them: at most one launch and
//! two ends for each worker.

use std::ffi::OsString;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Driver;
use super::errands::Unjudged;
use super::inner::{Inner, Worker};
use super::threads;
use crate::caught::caught;
use crate::config::{KILL_GRACE, Output, Settings};
use crate::ids::WorkerId;
use crate::machine::oom::OomKills;
use crate::machine::{Root, cgroup};
use crate::shared::segment::Core;
use crate::supervisor::local::{self, Destination, Recipe};
use crate::supervisor::{Process, refusal};
use crate::sys::bell::Bell;
use crate::sys::thread::wake_exactly;
use crate::wire::message::Welcome;
use crate::{env, identity, task};

/// What takes a system call too many.
#[derive(Debug)]
pub(super) enum Chore {
    Kill(Arc<Process>),
    /// Kill a process that nobody waits for, and reap it.
    Discard(Arc<Process>),
    StartZygote,
    Judge(Box<Unjudged>),
    /// Reap a worker that is gone, and give back what it has taken: to do that takes a moment, and somebody waits for its
    /// error.
    Forget(Box<Worker>),
    /// Likewise what a worker was given and has forgotten.
    Unmap(Vec<Arc<Core>>),
}

/// A worker that is to be started. Also a system call too many, but one that others may do, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Launch {
    pub(super) worker: WorkerId,
    pub(super) index: usize,
    /// Whether others were being launched when this one was asked for.
    pub(super) is_one_of_many: bool,
}

/// Starts the thread; it ends when the pool has ended.
pub(super) fn start(driver: &Arc<Driver>) -> std::io::Result<JoinHandle<()>> {
    let driver = Arc::clone(driver);
    let life = move || {
        wake_exactly();
        while !driver.is_finished() {
            driver.turn_in_background();
            driver.do_chores();
        }
        // Whoever has ended the pool may have left some since.
        driver.do_chores();
        driver.show_last_words();
        driver.close_nursery();
        driver.close();
        driver.end_record();
    };
    thread::Builder::new().name("loky".into()).spawn(life)
}

impl Driver {
    pub(super) fn do_chores(&self) {
        loop {
            // Ends come first: what is to be launched is often what takes their place, and may be many.
            self.chores.1.try_iter().for_each(|chore| self.run(chore));
            let Ok(launch) = self.launches.1.try_recv() else { return };
            self.do_launch(launch);
            // Many launches take long together.
            self.look_at_memory();
        }
    }

    /// Launches what the background thread has not come to yet: to wake it takes longer than to launch, and two threads
    /// launch two workers at once.
    ///
    /// Only while no worker serves, so that nobody has to wait for whoever drives. And only in the thread that started
    /// the pool: a worker has its priority and its processors from the thread that launches it. To ask the zygote takes
    /// no time, and is for all.
    pub(super) fn help_to_launch(&self) {
        if self.launches.1.is_empty() {
            return;
        }
        let is_starter = self.starter.get() == Some(&thread::current().id());
        while self.inner.lock().may_be_helped(is_starter) {
            let Ok(launch) = self.launches.1.try_recv() else { break };
            self.do_launch(launch);
        }
    }

    pub(super) fn run(&self, chore: Chore) {
        match chore {
            Chore::Kill(process) => process.kill_tree(),
            Chore::Discard(process) => {
                process.kill_tree();
                process.reap(KILL_GRACE);
            }
            Chore::StartZygote => self.start_zygote(),
            Chore::Judge(unjudged) => self.judge(*unjudged),
            Chore::Forget(worker) => worker.body.iter().for_each(|body| body.process.try_reap()),
            Chore::Unmap(segments) => drop(segments),
        }
    }

    fn do_launch(&self, launch: Launch) {
        let (settings, share) = {
            let inner = self.inner.lock();
            (inner.settings.clone(), inner.share())
        };
        let is_one_of_many = launch.is_one_of_many || !self.launches.1.is_empty();
        let launch = Launch { is_one_of_many, ..launch };
        let launched = match recipe(&settings, launch.index, share).and_then(|recipe| Ok((recipe, self.bell()?))) {
            Ok((recipe, bell)) => match self.ask_zygote(launch, &recipe, &bell) {
                true => return self.watch_oom_kills(),
                false => {
                    local::launch(&recipe, &bell).map_err(|why| format!("starting a process failed: {}", refusal(&why)))
                }
            },
            Err(why) => Err(why),
        };
        self.act(|inner, now| inner.hear_launch(launch.worker, launched, now));
        self.watch_oom_kills();
    }

    /// After the first launch, when the worker has enough to do to be there.
    fn watch_oom_kills(&self) {
        if self.inner.lock().oom_kills.is_none() {
            let kills = OomKills::watch(Root::machine(), cgroup::own_mounts(), Instant::now());
            self.inner.lock().oom_kills = Some(kills);
        }
    }

    fn bell(&self) -> Result<Arc<Bell>, String> {
        self.inner.lock().bell.clone().ok_or_else(|| "the pool has ended".to_string())
    }
}

impl Inner {
    /// `env_per_worker` and `cpu_affinity` are a user's own code, which is called on a thread of the pool.
    fn may_be_helped(&self, is_starter: bool) -> bool {
        let is_starting = is_starter && self.workers.values().all(|worker| !worker.has_said_hello);
        let is_ours = self.settings.env_per_worker.is_none() && self.settings.cpu_affinity.is_none();
        is_ours && (is_starting || self.nursery.is_open())
    }
}

fn recipe(settings: &Settings, index: usize, share: usize) -> Result<Recipe, String> {
    let mut environment = common_environment(settings);
    if let Some(variables) = &settings.env_per_worker {
        // This is the user's own code: its panic must cost no more than the launch.
        let variables = caught(|| variables(index))
            .map_err(|_| format!("the pool's `env_per_worker` panicked for worker {index}, as standard error says"))?;
        environment.extend(variables.into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
    }
    let program = env::arguments().into_iter().next().unwrap_or_default();
    let title = format!("{} [loky: worker {index} of {}]", program.to_string_lossy(), settings.name);
    let output = match settings.output {
        Output::Inherit => Destination::Ours,
        Output::Prefix | Output::Capture => Destination::Pipe,
        Output::Null => Destination::Nowhere,
    };
    let threads_said = threads::said(settings, &environment);
    let cpus = cpus(settings, index)?;
    let first_words = Welcome { share, threads_said, cpus, ..welcome(settings, index) }.encode();
    Ok(Recipe { title, environment, current_dir: settings.current_dir.clone(), output, first_words })
}

/// What all workers of the pool have in their environment.
pub(super) fn common_environment(settings: &Settings) -> Vec<(OsString, Option<OsString>)> {
    let mut environment = threads::variables(settings);
    environment.extend(settings.environment.iter().cloned());
    environment
}

/// Told before the process is there, so that it never waits for us.
fn welcome(settings: &Settings, index: usize) -> Welcome {
    let Ok(build) = task::build() else { unreachable!("no task is found in a registry that is none") };
    Welcome {
        build,
        parent: std::process::id(),
        pool: settings.name.clone(),
        index,
        depth: identity::depth() + 1,
        share: 1,
        threads: settings.share_of_all(),
        threads_said: 0,
        may_spin: settings.cpus > 1,
        is_hosted: settings.is_hosted,
        cpus: Vec::new(),
        confinement: settings.confinement.clone(),
        memory_growth_max: settings.memory_growth_limit,
    }
}

/// On which processors the worker shall run; none if that was not said.
fn cpus(settings: &Settings, index: usize) -> Result<Vec<usize>, String> {
    let Some(cpus) = &settings.cpu_affinity else { return Ok(Vec::new()) };
    caught(|| cpus(index))
        .map_err(|_| format!("the pool's `cpu_affinity` panicked for worker {index}, as standard error says"))
}
