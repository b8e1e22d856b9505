//! The page itself: one file that needs no other. The numbers are in it as JSON, and a script shows them.
//!
//! Whatever comes from tasks gets into the page as a string of that JSON, in which nothing can end the script, and from
//! there as text and never as markup.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use super::super::fact::{Failure, Run};
use super::super::json::Quoted;
use super::super::stats::{Latency, TaskStats};
use super::timeline::Timeline;
use super::{Happened, Lane, Mark, Report, Slice};

/// A page about a program and those of its pools that have ended, the oldest first; so many more are left out.
pub(crate) fn page(program: &str, pools: &[Report], left_out: usize) -> String {
    let mut by_age: Vec<_> = pools.iter().collect();
    by_age.sort_by_key(|pool| pool.began);
    let pools = list(by_age, pool);
    let data = format!("{{\"program\":{},\"left_out\":{left_out},\"pools\":{pools}}}", Quoted(program));
    let (before, after) = PAGE.split_once(PLACE).expect("the page has a place for its numbers");
    [before, &data, after].concat()
}

const PAGE: &str = include_str!("page.html");

/// Where the numbers go.
const PLACE: &str = "{{data}}";

fn pool(report: &Report) -> String {
    let deaths = report.deaths.each();
    let deaths = deaths.iter().map(|(cause, count)| format!("{}:{count}", Quoted(cause))).collect::<Vec<_>>().join(",");
    let outcomes = report.outcomes.iter().map(|(name, count)| format!("{}:{count}", Quoted(name)));
    let mut text = format!("\n{{\"name\":{},\"span\":{}", Quoted(&report.pool), Micros(report.ended));
    let parts: [(&str, String); 10] = [
        ("launches", report.launches.to_string()),
        ("lost", report.lost.to_string()),
        ("lanes_left_out", report.lanes_left_out.to_string()),
        ("deaths", format!("{{{deaths}}}")),
        ("outcomes", format!("{{{}}}", outcomes.collect::<Vec<_>>().join(","))),
        ("queue", timeline(&report.queue)),
        ("lanes", list(&report.lanes, |(index, worker)| lane(*index, worker))),
        ("tasks", list(&report.tasks.stats(), task)),
        ("slowest", list(&report.slowest, slice)),
        ("failures", list(&report.failures, |(call, why)| failure(call, why))),
    ];
    parts.iter().for_each(|(name, part)| append(&mut text, format_args!(",\n\"{name}\":{part}")));
    let slices = report.slices.as_ref().map_or_else(|| "null".to_string(), |slices| list(slices, slice));
    append(&mut text, format_args!(",\n\"slices\":{slices}}}"));
    text
}

fn lane(index: usize, lane: &Lane) -> String {
    let Lane { calls, failed, launches, .. } = lane;
    let [busy, served] = [lane.busy, lane.served].map(Micros);
    let (marks, busyness) = (list(&lane.marks, mark), timeline(&lane.busyness));
    format!(
        "\n{{\"index\":{index},\"calls\":{calls},\"failed\":{failed},\"launches\":{launches},\"busy\":{busy},\
         \"served\":{served},\"marks\":{marks},\"busyness\":{busyness}}}"
    )
}

fn mark(mark: &Mark) -> String {
    let what = match mark.what {
        Happened::Launch => "launch",
        Happened::End => "end",
        Happened::Death => "death",
    };
    format!("[{},\"{what}\",{},{}]", Micros(mark.at), Quoted(&mark.text), Micros(mark.until))
}

fn timeline(timeline: &Timeline) -> String {
    format!("{{\"width\":{},\"amounts\":{}}}", Micros(timeline.width), list(&timeline.amounts, u64::to_string))
}

fn task(task: &TaskStats) -> String {
    let [queue, run] = [&task.queue, &task.run].map(latency);
    format!("{{\"name\":{},\"items\":{},\"queue\":{queue},\"run\":{run}}}", Quoted(&task.task), task.items)
}

fn latency(of: &Latency) -> String {
    let micros = |span: Duration| Micros(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    let [p50, p90, p99, max] = [of.p50, of.p90, of.p99, of.max].map(micros);
    format!("{{\"count\":{},\"p50\":{p50},\"p90\":{p90},\"p99\":{p99},\"max\":{max}}}", of.count)
}

fn slice(slice: &Slice) -> String {
    let Slice { call, task, items, ending, .. } = slice;
    let (task, outcome, at) = (Quoted(task), ending.name(), Micros(slice.at));
    let run = slice.run.map_or_else(|| "null".to_string(), run);
    format!("{{\"call\":{call},\"task\":{task},\"items\":{items},\"outcome\":\"{outcome}\",\"at\":{at},\"run\":{run}}}")
}

fn run(run: Run) -> String {
    let Run { index, pid, attempt, .. } = run;
    let [queued, began, ended] = [run.queued, run.began, run.ended].map(Micros);
    format!("[{index},{pid},{attempt},{queued},{began},{ended}]")
}

fn failure(call: &Slice, why: &Failure) -> String {
    let tail = why.stderr_tail.as_deref().unwrap_or_default();
    format!("\n{{\"call\":{},\"text\":{},\"tail\":{}}}", slice(call), Quoted(&why.text), Quoted(tail))
}

fn list<T>(things: impl IntoIterator<Item = T>, each: impl Fn(T) -> String) -> String {
    format!("[{}]", things.into_iter().map(each).collect::<Vec<_>>().join(","))
}

fn append(text: &mut String, more: fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

/// Nanoseconds as microseconds, to a tenth.
struct Micros(u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 1000, self.0 % 1000 / 100)
    }
}
