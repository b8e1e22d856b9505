//! On what was measured, and what else the machine did meanwhile.

use std::fs;
use std::process::Command;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The machine in one line.
pub(crate) fn describe() -> String {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names = cpu_info.lines().filter_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim()));
    let (name, count) = (names.clone().next().unwrap_or("unknown processor"), names.count());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let rustc = String::from_utf8_lossy(&rustc);
    format!("{count} x {name}, Linux {}, {}.", kernel.trim(), rustc.trim())
}

/// What others did while we measured.
pub(crate) struct Noise {
    since: Instant,
    at_first: Times,
}

/// Processor seconds: of everybody, of ours, and those that the host took away.
struct Times {
    all: f64,
    ours: f64,
    stolen: f64,
}

impl Noise {
    pub(crate) fn begin() -> Self {
        Self { since: Instant::now(), at_first: Times::now() }
    }

    pub(crate) fn end(self) -> String {
        let (then, now, seconds) = (self.at_first, Times::now(), self.since.elapsed().as_secs_f64());
        let ours = now.ours - then.ours;
        let others = ((now.all - then.all - ours) / seconds).max(0.0);
        let stolen = (now.stolen - then.stolen) / seconds;
        format!(
            "Measured in {seconds:.0} s; meanwhile others used {others:.2} processors and the host took {stolen:.2}."
        )
    }
}

impl Times {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let fields = stat.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1);
        let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).map(|ticks: f64| ticks / TICKS).collect();
        let at = |index: usize| ticks.get(index).copied().unwrap_or(0.0);
        // user, nice, system, (idle, iowait,) irq, softirq, steal
        Self { all: at(0) + at(1) + at(2) + at(5) + at(6), ours: of_children(), stolen: at(7) }
    }
}

fn of_children() -> f64 {
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN);
    usage.map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Linux counts so in a second, in `/proc`, on every machine.
pub(crate) const TICKS: f64 = 100.0;
