//! PMI-1, spoken by hand: how MPICH's and Intel's `mpiexec`, and `srun --mpi=pmi2`, let ranks exchange short strings.
//!
//! Lines of `key=value` on a socket that the launcher has left open, a question and its answer at a time: `init`, the name of
//! the common space, `put` by rank 0, a barrier, after which all see what was put, `get` by the others, `finalize`. What
//! comes back is believed for nothing but its form: a line has a limit, and so has the wait for all of them.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The one key that we use.
const KEY: &str = "loky";

/// No launcher has longer lines.
const LINE_MAX: usize = 8192;

/// What values may be long if the launcher does not say so.
const VALUE_MAX: usize = 1023;

/// Rank 0 gives `mine`, all others get it. Returns when all ranks have come, or at `until`.
pub(super) fn exchange(link: UnixStream, mine: Option<&str>, until: Instant) -> io::Result<String> {
    let mut pmi = Pmi { link, until, ahead: Vec::new() };
    pmi.ask("cmd=init pmi_version=1 pmi_subversion=1", "response_to_init")?;
    let limits = pmi.ask("cmd=get_maxes", "maxes")?;
    let value_max = limits.get("vallen_max").and_then(|max| max.parse().ok()).unwrap_or(VALUE_MAX);
    let space = pmi.ask("cmd=get_my_kvsname", "my_kvsname")?.need("kvsname")?.to_owned();
    if let Some(value) = mine {
        if value.len() >= value_max {
            return Err(io::Error::other(format!("values of {value_max} bytes are too short for an invitation")));
        }
        pmi.ask(&format!("cmd=put kvsname={space} key={KEY} value={value}"), "put_result")?;
    }
    pmi.ask("cmd=barrier_in", "barrier_out")?;
    let value = match mine {
        Some(value) => value.to_owned(),
        None => {
            let answer = pmi.ask(&format!("cmd=get kvsname={space} key={KEY}"), "get_result")?;
            answer.need("value")?.to_owned()
        }
    };
    pmi.ask("cmd=finalize", "finalize_ack")?;
    Ok(value)
}

struct Pmi {
    link: UnixStream,
    until: Instant,
    /// What was read beyond the last line.
    ahead: Vec<u8>,
}

impl Pmi {
    fn ask(&mut self, question: &str, expected: &str) -> io::Result<Answer> {
        let remaining = self.remaining(question)?;
        self.link.set_write_timeout(Some(remaining))?;
        self.link.write_all(format!("{question}\n").as_bytes())?;
        let line = self.line(question)?;
        let answer = Answer::parse(&line);
        let is_good = answer.get("rc").is_none_or(|code| code == "0");
        if answer.get("cmd") == Some(expected) && is_good {
            return Ok(answer);
        }
        Err(io::Error::other(format!("the launcher answered {line:?} to {:?}", command(question))))
    }

    fn line(&mut self, question: &str) -> io::Result<String> {
        loop {
            if let Some(end) = self.ahead.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.ahead.len() > LINE_MAX {
                return Err(io::Error::other("the launcher sends a line without an end"));
            }
            let remaining = self.remaining(question)?;
            self.link.set_read_timeout(Some(remaining))?;
            let mut bytes = [0; 1024];
            match self.link.read(&mut bytes) {
                Ok(0) => {
                    let what = format!("the launcher has closed the link instead of answering {:?}", command(question));
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
                }
                Ok(count) => self.ahead.extend_from_slice(&bytes[..count]),
                Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(why) => return Err(why),
            }
        }
    }

    fn remaining(&self, question: &str) -> io::Result<Duration> {
        let remaining = self.until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            let what = match command(question) {
                "barrier_in" => "not all ranks of this program have come in time".to_owned(),
                command => format!("the launcher has not answered {command:?} in time"),
            };
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        // Less is no limit at all to the kernel, which counts in microseconds.
        Ok(remaining.max(Duration::from_millis(1)))
    }
}

/// What a question is called.
fn command(question: &str) -> &str {
    question.split([' ', '=']).nth(1).unwrap_or(question)
}

/// A line of `key=value`.
struct Answer(Vec<(String, String)>);

impl Answer {
    fn parse(line: &str) -> Self {
        let pairs = line.split_whitespace().filter_map(|part| part.split_once('='));
        Self(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn need(&self, key: &str) -> io::Result<&str> {
        self.get(key).ok_or_else(|| io::Error::other(format!("the launcher has answered without a {key}")))
    }
}

#[cfg(test)]
mod tests;
