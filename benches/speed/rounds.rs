//! Rounds: each measures every cell once, so that contestants take turns and the machine's moods meet all of them.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};

use loky_benches::{FIGURES, Figure, Outcome, Row, Summary};

use crate::cell::{self, CONTESTANTS};
use crate::options::Options;

/// Of each figure of each contestant, one outcome a round.
#[derive(Default)]
pub(crate) struct Results(BTreeMap<(&'static str, &'static str), Vec<Outcome>>);

pub(crate) fn run(options: &Options) -> io::Result<Results> {
    let mut results = Results::default();
    for round in 1..=options.rounds {
        for workload in &options.workloads {
            for contestant in CONTESTANTS {
                if io::stderr().is_terminal() {
                    eprint!("\rround {round} of {}: {workload} {contestant}          ", options.rounds);
                }
                results.add(workload, contestant, cell::measure(workload, contestant, options.quick)?);
            }
        }
    }
    if io::stderr().is_terminal() {
        eprintln!();
    }
    Ok(results)
}

impl Results {
    /// Figures of which nothing was said failed with the cell.
    fn add(&mut self, workload: &str, contestant: &'static str, said: cell::Said) {
        let mut figures: BTreeMap<_, _> = said.figures.into_iter().collect();
        for figure in FIGURES.iter().filter(|figure| figure.workload == workload) {
            let outcome = figures.remove(figure.key).unwrap_or_else(|| Outcome::Failed(said.silence.clone()));
            self.0.entry((figure.key, contestant)).or_default().push(outcome);
        }
    }

    pub(crate) fn of(&self, figure: &Figure, contestant: &'static str) -> &[Outcome] {
        self.0.get(&(figure.key, contestant)).map_or(&[], Vec::as_slice)
    }

    /// The figures of the workloads that were run.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let figures = FIGURES.iter().filter(|figure| !self.of(figure, "loky").is_empty());
        let row = |figure| {
            let of = |contestant: &'static str| Summary::of(self.of(figure, contestant));
            Row { figure, loky: of("loky"), floor: of("floor"), rayon: of("rayon"), procspawn: of("procspawn") }
        };
        figures.map(row).collect()
    }
}
