//! Reports of long and short runs.

use super::*;
use crate::error::ErrorKind;

const CRASH: Ending = Ending::Failed(Some(ErrorKind::Crash));

fn call(number: u64, ending: Ending) -> Fact {
    let began = 1_000_000 + number * 10_000;
    // Number 77 is the slowest.
    let ended = began + if number == 77 { 9_000 } else { number % 8 * 1_000 };
    let run = Run { index: (number % 3) as usize, pid: 9, attempt: 1, queued: 1_000_000, began, ended };
    let text = format!("call {number} </script><b>");
    let failure = (ending != Ending::Succeeded).then(|| Box::new(Failure { text, stderr_tail: Some("oh".into()) }));
    let (task, spawned) = ("tests::<task>", 1_000_000);
    Fact::Ended(Ended { call: number, task, items: 1, spawned, at: ended, run: Some(run), ending, failure })
}

fn report(calls: u64) -> Report {
    let mut report = Report::new("pool", 1_000_000);
    (0..3).for_each(|index| report.add(&Fact::Launched { at: 1_000_000, index }));
    (0..3).for_each(|index| report.add(&Fact::Ready { at: 1_000_000, since: 1_000_000, index, pid: 9 }));
    (0..calls).for_each(|number| report.add(&call(number, if number % 100 == 50 { CRASH } else { Ending::Succeeded })));
    report.add(&Fact::Died { at: 2_000_000, index: 1, pid: 9, cause: Cause::Crash, how: "died".into() });
    report.ended(4_000_000)
}

#[test]
fn a_short_run_is_shown_call_by_call() {
    let report = report(200);
    assert_eq!(report.slices.as_ref().map(Vec::len), Some(200));
    assert_eq!((report.outcomes["ok"], report.outcomes["crash"]), (198, 2));
    assert_eq!((report.slowest[0].call, report.slowest.len()), (77, SLOWEST_MAX));
    assert!(report.slowest.is_sorted_by(|one, other| one.ran() >= other.ran()));
    let lane = &report.lanes[&1];
    assert_eq!((lane.calls, lane.launches, lane.served, report.lanes[&0].served), (67, 1, 1_000_000, 3_000_000));
    assert_eq!(lane.busyness.amounts.iter().sum::<u64>(), lane.busy);
    assert_eq!((report.ended, report.deaths.crash, report.launches), (3_000_000, 1, 3));
}

#[test]
fn of_a_long_run_nothing_grows_without_a_bound() {
    let report = report(300_000);
    assert!(report.slices.is_none() && report.slowest.len() == SLOWEST_MAX && report.failures.len() == FAILURES_MAX);
    assert_eq!(report.outcomes.values().sum::<u64>(), 300_000);
    let page = page("program", &[report], 0);
    assert!(page.len() < 200_000, "{} bytes", page.len());
}

#[test]
fn what_died_looks_other_than_what_left_and_the_oldest_pool_comes_first() {
    let mut old = Report::new("old", 1);
    for (index, cause) in [Cause::Crash, Cause::Idle].into_iter().enumerate() {
        old.add(&Fact::Died { at: 5, index, pid: 9, cause, how: "ended".into() });
    }
    let page = page("program", &[Report::new("young", 2).ended(9), old.ended(9)], 0);
    assert!(page.contains(r#""death","pid 9 ended (crash)""#) && page.contains(r#""end","pid 9 ended (idle)""#));
    let [old, young] = [r#"{"name":"old""#, r#"{"name":"young""#].map(|name| page.find(name).expect("it is there"));
    assert!(old < young);
}

#[test]
fn what_tasks_say_cannot_leave_its_place() {
    let page = page("<img src=x>", &[report(200)], 3);
    let data = page.split_once("<script type=\"application/json\" id=\"data\">").expect("a place for data").1;
    let (data, _) = data.split_once("</script>").expect("its end");
    assert!(
        !data.contains('<') && data.contains("call 50 \\u003c/script") && data.contains("\"left_out\":3"),
        "{data}"
    );
    assert!(!page.contains("<img") && !page.contains("http"), "it needs nothing from elsewhere");
}
