//! Traces: read as a viewer reads them.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use loky_tests::{Case, Gate, cases, eventually, scratch};
use serde_json::Value;

use crate::programs::{CALLS, SUCCEEDED, events, run, showing, shown};

pub(crate) const CASES: &[Case] = cases![
    trace_01_every_call_is_a_slice_with_an_arrow_from_its_spawn,
    trace_02_lanes_tell_one_thing_after_the_other,
    trace_03_launches_deaths_and_the_queue_are_shown,
    trace_04_pools_of_one_program_share_a_file,
    trace_05_pools_of_workers_have_files_of_their_own,
    trace_06_a_program_that_dies_leaves_a_whole_file,
    trace_07_a_program_that_does_not_shut_down_loses_nothing,
    trace_08_a_file_that_cannot_be_is_said_once_and_the_program_goes_on,
    trace_09_two_programs_never_write_one_file,
];

fn of_phase<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

fn calls(events: &[Value]) -> Vec<&Value> {
    of_phase(events, "X").into_iter().filter(|event| event["cat"] == "call").collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn mixed() -> Vec<Value> {
    let _tries = Gate::new("tries");
    events(&shown("mixed", "LOKY_TRACE", "run.json"))
}

fn trace_01_every_call_is_a_slice_with_an_arrow_from_its_spawn() {
    let events = mixed();
    let calls = calls(&events);
    let mut outcomes = BTreeMap::<_, u64>::new();
    calls.iter().for_each(|call| *outcomes.entry(call["args"]["outcome"].as_str().expect("a name")).or_default() += 1);
    let one = ["cancelled", "crash", "panic", "timeout", "tried_again"].map(|name| (name, 1));
    assert_eq!(outcomes, one.into_iter().chain([("ok", SUCCEEDED)]).collect());
    let slept: Vec<_> =
        calls.iter().filter(|call| call["name"].as_str().expect("a name").ends_with("sleep_for")).collect();
    let slept = slept.iter().filter(|call| call["args"]["outcome"] == "ok").map(|call| number(&call["dur"]));
    assert_eq!(slept.filter(|dur| (20_000.0..10_000_000.0).contains(dur)).count(), 5, "in microseconds");
    let (begins, ends) = (of_phase(&events, "s"), of_phase(&events, "f"));
    assert_eq!((begins.len() as u64, ends.len() as u64), (CALLS, CALLS), "one arrow for each call");
    for begin in begins {
        let end = ends.iter().find(|end| end["id"] == begin["id"]).expect("each arrow ends");
        let slice = calls.iter().find(|call| call["args"]["call"] == begin["id"]).expect("where its call runs");
        assert_eq!((&end["tid"], &end["ts"], &slice["args"]["attempt"]), (&slice["tid"], &slice["ts"], &1.into()));
        assert!(number(&begin["ts"]) <= number(&end["ts"]) && begin["tid"] != end["tid"], "{begin} {end}");
    }
    let tried: Vec<_> = calls.iter().filter(|call| call["args"]["attempt"] == 2).collect();
    assert!(tried.len() == 1 && tried[0]["args"]["outcome"] == "ok", "{tried:?}");
}

fn trace_02_lanes_tell_one_thing_after_the_other() {
    let events = mixed();
    let mut lanes = HashMap::<u64, Vec<(f64, f64)>>::new();
    for slice in of_phase(&events, "X") {
        let (begin, dur) = (number(&slice["ts"]), number(&slice["dur"]));
        lanes.entry(slice["tid"].as_u64().expect("a lane")).or_default().push((begin, begin + dur));
    }
    let names = of_phase(&events, "M");
    for (lane, slices) in &mut lanes {
        assert!(names.iter().any(|name| name["tid"] == *lane && name["name"] == "thread_name"), "{lane} has a name");
        slices.sort_by(|one, other| one.0.total_cmp(&other.0));
        let is_over = |pair: &[(f64, f64)]| pair[0].1 <= pair[1].0 + 0.001;
        assert!(slices.windows(2).all(is_over), "on lane {lane} two things at once: {slices:?}");
    }
    assert!(lanes.len() >= 2, "spawns and at least one worker");
}

fn trace_03_launches_deaths_and_the_queue_are_shown() {
    let events = mixed();
    let instants = of_phase(&events, "i");
    let named = |name: &str| instants.iter().filter(|event| event["name"] == name).collect::<Vec<_>>();
    let causes: Vec<_> = named("death").iter().map(|death| death["args"]["cause"].as_str().expect("a cause")).collect();
    assert_eq!(named("launch").len(), causes.len(), "all are gone");
    let count = |wanted: &str| causes.iter().filter(|cause| **cause == wanted).count();
    assert_eq!((count("crash"), count("timeout"), count("cancelled")), (2, 1, 1), "{causes:?}");
    assert!(
        named("death").iter().any(|death| death["args"]["how"].as_str().is_some_and(|how| how.contains("SIGABRT")))
    );
    let queue = of_phase(&events, "C");
    let last = queue.last().expect("the queue is told");
    assert_eq!((&last["args"]["queued"], &last["args"]["running"]), (&0.into(), &0.into()));
    assert!(queue.iter().any(|sample| number(&sample["args"]["running"]) > 0.0), "{queue:?}");
}

fn trace_04_pools_of_one_program_share_a_file() {
    let events = events(&shown("two_pools", "LOKY_TRACE", "run.json"));
    let calls = calls(&events);
    assert_eq!(calls.len(), 8);
    let names = of_phase(&events, "M");
    let name_of = |lane: &Value| {
        let name = names.iter().find(|name| name["tid"] == *lane && name["name"] == "thread_name");
        name.expect("each lane has a name")["args"]["name"].as_str().expect("a text")
    };
    let lanes_of = |pool: &str| calls.iter().filter(|call| name_of(&call["tid"]).starts_with(pool)).count();
    assert_eq!((lanes_of("first: worker"), lanes_of("second: worker")), (4, 4));
}

fn trace_05_pools_of_workers_have_files_of_their_own() {
    let path = scratch().join("run.json");
    let output = run(&mut showing("nested", "LOKY_TRACE", &path));
    let worker: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("it says its pid");
    let own = events(&scratch().join(format!("run.{worker}.json")));
    assert_eq!((calls(&events(&path)).len(), calls(&own).len()), (1, 3));
    assert!(own.iter().all(|event| event["pid"] == worker));
}

fn trace_06_a_program_that_dies_leaves_a_whole_file() {
    let (gate, path) = (Gate::new("gate"), scratch().join("run.json"));
    let mut program = showing("aborts", "LOKY_TRACE", &path).spawn().expect("a program of this binary");
    gate.await_arrivals(1);
    eventually("what has happened is written", || calls(&events(&path)).len() == 10);
    gate.open();
    assert!(!program.wait().expect("it is ours").success());
    assert_eq!(calls(&events(&path)).len(), 10);
}

fn trace_07_a_program_that_does_not_shut_down_loses_nothing() {
    for name in ["without_shutdown", "ends_by_exit"] {
        let path = shown(name, "LOKY_TRACE", &format!("{name}.json"));
        assert_eq!(calls(&events(&path)).len(), 10, "{name}");
    }
}

fn trace_08_a_file_that_cannot_be_is_said_once_and_the_program_goes_on() {
    for variable in ["LOKY_TRACE", "LOKY_REPORT"] {
        let output = run(&mut showing("two_pools", variable, &scratch().join("no/such/folder/run")));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.lines().count() == 1, "{output:?}");
        let parts = [variable, "no/such/folder", "No such file", "goes on without"];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    let output = run(&mut showing("plain", "LOKY_TRACE", "".as_ref()));
    assert!(output.status.success() && output.stdout == b"true\n" && output.stderr.is_empty(), "{output:?}");
    let full = run(&mut showing("plain", "LOKY_TRACE", "/dev/full".as_ref()));
    assert!(full.status.success() && full.stdout == b"true\n", "{full:?}");
    assert_eq!(String::from_utf8_lossy(&full.stderr).lines().count(), 1, "{full:?}");
}

fn trace_09_two_programs_never_write_one_file() {
    let (gate, path) = (Gate::new("gate"), scratch().join("run.json"));
    let mut first = showing("aborts", "LOKY_TRACE", &path).spawn().expect("a program of this binary");
    gate.await_arrivals(1);
    let mut second = showing("plain", "LOKY_TRACE", &path).spawn().expect("a program of this binary");
    assert!(second.wait().expect("it is ours").success());
    assert_eq!(calls(&events(&scratch().join(format!("run.{}.json", second.id())))).len(), 1);
    eventually("the first one has its own", || calls(&events(&path)).len() == 10);
    gate.open();
    first.wait().expect("it is ours");
    shown("plain", "LOKY_TRACE", "run.json");
    assert_eq!(calls(&events(&path)).len(), 1, "who comes later begins anew");
    assert_eq!(fs::read_dir(scratch()).expect("a folder").count(), 3, "two files and a gate");
}
