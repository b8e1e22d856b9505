//! The report for programs: everything in it, and all rows. The names of the fields are the contract.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::problem::Problem;
use crate::report::Report;
use crate::sources::Crate;
use crate::survey::Totals;

/// Opens the file to write to.
pub(crate) fn create(path: &Path) -> Result<File, Problem> {
    File::create(path).map_err(|error| Problem::Usage(format!("cannot write `{}`: {error}", path.display())))
}

pub(crate) fn write(file: File, report: &Report<'_>) -> Result<(), Problem> {
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, &document(report)).map_err(std::io::Error::from)?;
    file.write_all(b"\n")?;
    Ok(file.flush()?)
}

/// Borrows nothing of the report's wording: a program counts for itself.
fn document(report: &Report<'_>) -> Value {
    json!({
        "workers": report.options.workers,
        "cpus": loky::cpu_count(),
        "limit_seconds": report.options.limit.as_secs_f64(),
        "totals": totals(report, &report.survey.totals()),
        "crates": crates(report),
        "failures": failures(report),
        "closed_folders": report.sources.closed,
        "timing": timing(report),
    })
}

fn totals(report: &Report<'_>, totals: &Totals) -> Value {
    let file = totals.longest.as_ref().map(|_| report.sources.files[totals.longest_in].path.display().to_string());
    let mut value = json!(totals);
    value["longest_file"] = json!(file);
    value
}

fn crates(report: &Report<'_>) -> Vec<Value> {
    let by_crate = report.survey.totals_by_crate(report.sources);
    let row = |(one, sums): (&Crate, &Totals)| {
        let mut value = totals(report, sums);
        value["name"] = json!(one.name);
        value["folder"] = json!(one.folder.display().to_string());
        value
    };
    report.sources.crates.iter().zip(&by_crate).map(row).collect()
}

fn failures(report: &Report<'_>) -> Vec<Value> {
    #[derive(Serialize)]
    struct Row<'a> {
        file: String,
        #[serde(rename = "crate")]
        crate_name: &'a str,
        #[serde(flatten)]
        failure: &'a Failure,
    }
    let row = |(index, failure): (usize, &Failure)| {
        let file = &report.sources.files[index];
        let crate_name = &report.sources.crates[file.crate_index].name;
        json!(Row { file: file.path.display().to_string(), crate_name, failure })
    };
    report.survey.failures().into_values().flatten().map(row).collect()
}

fn timing(report: &Report<'_>) -> Value {
    let totals = report.survey.totals();
    let seconds = report.wall.as_secs_f64();
    json!({
        "seconds": seconds,
        "files_per_second": totals.found as f64 / seconds,
        "bytes_per_second": totals.bytes as f64 / seconds,
        "lines_per_second": totals.lines as f64 / seconds,
        "parsing_seconds": totals.micros as f64 / 1e6,
        "speed_up": report.speed_up.as_ref().ok().map(|measured| {
            let mut value = json!(measured);
            value["ratio"] = json!(measured.ratio());
            value
        }),
        "speed_up_skipped": report.speed_up.as_ref().err(),
    })
}
