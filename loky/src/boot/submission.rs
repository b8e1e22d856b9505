//! Mode C: a program that submits its agents by itself, each as an allocation of one node.
//!
//! They are the elements of one array, so that there is one request for all of them. What is lost with its node is put back
//! into the queue by Slurm, and comes as an agent of the same number when it has a node again; until then the program goes
//! on with the others. As an agent needs the driver, none outlives it: the array is cancelled when the program ends, and an
//! element that starts after that finds nobody.

use std::io;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::allocation::program;
use super::invitation::{self, Standing};
use super::starter;
use super::wish::Submission;
use crate::env;

/// An array that was submitted.
#[derive(Debug)]
pub(super) struct Submitted {
    array: String,
    submission: Submission,
    /// When to ask next whether anything of it is left.
    look_at: Instant,
    /// The question, while it is on its way: its answer may take as long as the controller pleases.
    squeue: Option<Child>,
}

/// How often the controller is asked, which serves a whole cluster.
const LOOK_EVERY: Duration = Duration::from_secs(30);

impl Submitted {
    pub(super) fn start(submission: Submission, bound: &[SocketAddr], sealed: &str) -> Result<Self, String> {
        let environment = Standing::OfArray.environment(&invitation::words(bound, sealed));
        let program = program().map_err(|why| format!("the file of this program is not known: {why}"))?;
        let mut sbatch = Command::new("sbatch");
        sbatch.args(["--parsable", "--nodes=1", "--ntasks=1", "--requeue", "--open-mode=append", "--export=ALL"]);
        sbatch.args(["-J", "loky", "--output=/dev/null"]).arg(format!("--array=0-{}", submission.agents.end() - 1));
        if !submission.options.iter().any(|option| option.starts_with("--cpus-per-task=")) {
            // Whoever says how many processors an agent needs has several of them on a node.
            sbatch.arg("--exclusive");
        }
        sbatch.args(&submission.options).arg("--wrap").arg(format!("exec {}", quoted(&program)));
        sbatch.env(env::INVITATION, environment);
        let array =
            answer(&mut sbatch).map_err(|why| format!("`sbatch`, which is to submit the agents, has failed: {why}"))?;
        // With `--parsable`, the name of the cluster may follow.
        let array = array.trim().split(';').next().unwrap_or_default().to_owned();
        if array.is_empty() || !array.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(format!("`sbatch` has answered {array:?}, which is no number"));
        }
        Ok(Self { array, submission, look_at: Instant::now() + LOOK_EVERY, squeue: None })
    }

    /// Whether anything can still come, if nobody is there.
    pub(super) fn tend(&mut self, here: &[u32], now: Instant) -> Result<(), String> {
        if self.squeue.as_mut().is_some_and(starter::has_ended) {
            let answer = self.squeue.take().and_then(|squeue| squeue.wait_with_output().ok());
            // A controller that does not answer is no reason to give up.
            let is_over = answer.is_some_and(|answer| answer.status.success() && answer.stdout.trim_ascii().is_empty());
            if is_over && here.is_empty() {
                return Err(format!("all agents of the array {} have ended", self.array));
            }
        }
        if here.is_empty() && now >= self.look_at && self.squeue.is_none() {
            self.look_at = now + LOOK_EVERY;
            let mut squeue = Command::new("squeue");
            squeue.args(["--noheader", "--format=%T", "-j", &self.array]);
            self.squeue = squeue.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok();
        }
        Ok(())
    }

    pub(super) fn said(&self) -> String {
        format!("up to {} agents, submitted as the array {}", self.submission.agents.end(), self.array)
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        // Those that run end by themselves when their links close; this is for those that wait.
        let scancel = Command::new("scancel").args(["--quiet", &self.array]).stdin(Stdio::null()).spawn();
        scancel.into_iter().chain(self.squeue.take()).for_each(starter::end);
    }
}

fn answer(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(said.lines().last().unwrap_or("it does not say why").to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// For a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_survive_a_shell() {
        let odd = "/a b/it's $HOME";
        let echo = format!("printf %s {}", quoted(odd));
        assert_eq!(answer(Command::new("sh").args(["-c", &echo])).unwrap(), odd);
    }

    #[test]
    fn a_failure_is_told_in_its_last_words() {
        let why = answer(Command::new("sh").args(["-c", "echo one >&2; echo two >&2; exit 1"])).unwrap_err();
        assert_eq!(why.to_string(), "two");
    }
}
