//! Tells what was measured: to the terminal, to a file for programs, and to the documentation.

use std::error::Error;
use std::fs;
use std::path::Path;

use loky_benches::{FIGURES, markdown, replace_tables, text};
use serde_json::json;

use crate::cell::CONTESTANTS;
use crate::machine;
use crate::options::Options;
use crate::rounds::Results;

pub(crate) fn publish(options: &Options, results: &Results, noise: &str) -> Result<(), Box<dyn Error>> {
    let rows = results.rows();
    println!("{}\n{noise}\n\n{}\n{RATIOS}", machine::describe(), text(&rows));
    let tables = format!("{}\n{noise}\n\n{}", machine::describe(), markdown(&rows));
    if options.quick {
        println!("Measured with small sizes: the figures mean nothing, but that everything is alive.");
    }
    if options.markdown {
        println!("\n{tables}");
    }
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&every_figure(results))?)?;
    }
    if options.update_docs {
        let document = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md"));
        fs::write(document, replace_tables(&fs::read_to_string(document)?, &tables)?)?;
    }
    Ok(())
}

fn every_figure(results: &Results) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    for figure in FIGURES {
        let by_contestant =
            CONTESTANTS.map(|contestant| (contestant.to_owned(), json!(results.of(figure, contestant))));
        all.insert(figure.key.to_owned(), by_contestant.into_iter().collect());
    }
    json!({ "machine": machine::describe(), "figures": all })
}

const RATIOS: &str =
    "Medians of the rounds. A ratio is how many times the cost it is: below 1 is better, whatever the unit.";
