//! The table, for a terminal and for the documentation.

use crate::figure::Figure;
use crate::outcome::Summary;

/// A figure of each contestant.
#[derive(Debug)]
pub struct Row {
    /// Which one.
    pub figure: &'static Figure,
    /// Ours.
    pub loky: Summary,
    /// What the kernel and the machine allow.
    pub floor: Summary,
    /// Threads.
    pub rayon: Summary,
    /// The other pool of processes.
    pub procspawn: Summary,
}

const HEADINGS: [&str; 7] = ["", "loky", "floor", "loky / floor", "rayon", "procspawn", "loky / procspawn"];

/// For people at a terminal: columns, and medians alone.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let lines: Vec<[String; 7]> = rows.iter().map(|row| cells(row, median)).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let mut table = String::new();
    for line in std::iter::once(&HEADINGS.map(str::to_owned)).chain(&lines) {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        table += padded.collect::<Vec<_>>().join("  ").trim_end();
        table.push('\n');
    }
    table
}

/// For the documentation: medians, with the least and the greatest of the rounds.
#[must_use]
pub fn markdown(rows: &[Row]) -> String {
    let mut table = format!("| {} |\n|---|{}\n", HEADINGS.join(" | ").trim_start(), "---|".repeat(HEADINGS.len() - 1));
    for row in rows {
        table += &format!("| {} |\n", cells(row, with_range).join(" | "));
    }
    table
}

fn cells(row: &Row, write: fn(&Summary, &Figure) -> String) -> [String; 7] {
    let figure = row.figure;
    let ratio = |other: &Summary| {
        let times = row.loky.median().zip(other.median()).and_then(|(ours, theirs)| figure.unit.times(ours, theirs));
        times.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}"))
    };
    [
        format!("{} {}", figure.workload, figure.title),
        write(&row.loky, figure),
        write(&row.floor, figure),
        ratio(&row.floor),
        write(&row.rayon, figure),
        write(&row.procspawn, figure),
        ratio(&row.procspawn),
    ]
}

fn median(summary: &Summary, figure: &Figure) -> String {
    match summary {
        Summary::Measured(spread) => figure.unit.show(spread.median),
        Summary::NotOffered => "-".to_owned(),
        Summary::Failed(why) => format!("failed: {why}"),
    }
}

fn with_range(summary: &Summary, figure: &Figure) -> String {
    match summary {
        Summary::Measured(spread) if spread.min < spread.max => {
            let [median, min, max] = [spread.median, spread.min, spread.max].map(|value| figure.unit.show(value));
            format!("{median} ({min} .. {max})")
        }
        // A bar would end the cell.
        other => median(other, figure).replace('|', "/"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, markdown, text};
    use crate::figure::FIGURES;
    use crate::outcome::Outcome::{Failed, Measured, NotOffered};
    use crate::outcome::Summary;

    fn row() -> Row {
        Row {
            figure: &FIGURES[0],
            loky: Summary::of(&[3000.0, 1000.0, 2000.0].map(Measured)),
            floor: Summary::of(&[Measured(1000.0)]),
            rayon: Summary::of(&[NotOffered]),
            procspawn: Summary::of(&[Failed("a | b".to_owned())]),
        }
    }

    #[test]
    fn a_row_compares_medians() {
        let table = text(&[row()]);
        let cells: Vec<_> =
            table.lines().last().unwrap_or_default().split("  ").filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>(),
            ["W1 first result, 1 worker", "2.00 us", "1.00 us", "2.00", "-", "failed: a | b", "-"]
        );
    }

    #[test]
    fn markdown_shows_the_range_and_keeps_its_columns() {
        let table = markdown(&[row()]);
        assert!(table.contains("| 2.00 us (1.00 us .. 3.00 us) |"), "{table}");
        let bars: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
        assert_eq!(bars, [8, 8, 8]);
    }
}
