//! A cell: one workload of one contestant, once, in a process of its own, which says what it found line by line.
//!
//! Every wait of a workload is bounded here and nowhere else: a cell that does not end in time is killed with all that
//! it has started, and what it had said until then counts.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use loky_benches::Outcome;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::absent::{Measured, outcome};
use crate::scale::Scale;
use crate::{floor, system, workload};

/// The argument by which a process knows that it is a cell.
pub(crate) const CELL: &str = "--cell";
/// Who is compared. The floor comes right after ours: they are compared most closely.
pub(crate) const CONTESTANTS: [&str; 4] = ["loky", "floor", "rayon", "procspawn"];

/// In the cell: says what is found.
pub(crate) struct Notes(());

impl Notes {
    pub(crate) fn put(&self, key: &str, measured: Measured<f64>) {
        self.put_outcome(key, &outcome(measured));
    }

    pub(crate) fn put_outcome(&self, key: &str, outcome: &Outcome) {
        let outcome = serde_json::to_string(outcome).expect("an outcome is plain data");
        // The line begins with one of its own: whatever a task has printed before it.
        println!("\n{FIGURE}{key} {outcome}");
    }
}

/// In the cell: measures, and ends the process whatever is still pending in it.
pub(crate) fn run(workload: &str, contestant: &str, quick: bool) -> io::Result<()> {
    let (notes, scale) = (Notes(()), Scale { quick });
    match contestant {
        "floor" => floor::measure(workload, scale, &notes),
        "rayon" => workload::measure::<system::Rayon>(workload, scale, &notes),
        "procspawn" => {
            // Must not run in other cells: it waits for its children wherever they come from.
            procspawn::init();
            workload::measure::<system::Procspawn>(workload, scale, &notes);
        }
        _ => workload::measure::<system::Loky>(workload, scale, &notes),
    }
    println!("\n{DONE}");
    io::stdout().flush()?;
    std::process::exit(0)
}

/// What a cell has said, and why it said no more.
pub(crate) struct Said {
    pub(crate) figures: Vec<(String, Outcome)>,
    pub(crate) silence: String,
}

/// Measures a cell in a process of its own.
pub(crate) fn measure(workload: &str, contestant: &str, quick: bool) -> io::Result<Said> {
    let mut command = Command::new("/proc/self/exe");
    command.args([CELL, workload, contestant]).args(quick.then_some("--quick"));
    let mut child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = lines_of(&mut child);
    let said = listen(&lines, if quick { QUICK_LIMIT } else { LIMIT });
    // The whole group: what a cell has left behind would be the noise of the next.
    let group = Pid::from_raw(child.id().try_into().expect("a pid fits where the kernel has it from"));
    let _ = killpg(group, Signal::SIGKILL);
    child.wait()?;
    collect_orphans();
    Ok(said)
}

/// What a cell started has come to this process by now, and is dead or dying.
fn collect_orphans() {
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => thread::sleep(Duration::from_millis(1)),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// A thread reads, so that a limit can be kept although workers may hold the pipe open.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let output = child.stdout.take().expect("standard output was asked for as a pipe");
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more after the limit.
            let _ = sender.send(line);
        }
    });
    lines
}

fn listen(lines: &Receiver<String>, limit: Duration) -> Said {
    let deadline = Instant::now() + limit;
    let mut figures = Vec::new();
    let silence = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line == DONE => break "not measured".to_owned(),
            Ok(line) => figures.extend(figure_of(&line)),
            Err(RecvTimeoutError::Timeout) => break format!("not within {limit:?}"),
            Err(RecvTimeoutError::Disconnected) => break "its process ended".to_owned(),
        }
    };
    Said { figures, silence }
}

fn figure_of(line: &str) -> Option<(String, Outcome)> {
    let (key, outcome) = line.strip_prefix(FIGURE)?.split_once(' ')?;
    Some((key.to_owned(), serde_json::from_str(outcome).ok()?))
}

const FIGURE: &str = "figure: ";
const DONE: &str = "figures: done";
const LIMIT: Duration = Duration::from_secs(60);
const QUICK_LIMIT: Duration = Duration::from_secs(15);
