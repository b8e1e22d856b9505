//! What an error says of the memory of its worker. In which unit is not promised: where both would look the same, a
//! smaller one is taken.

use loky::Error;

/// Panics unless the error says that a worker had more than its limit, which is this many bytes, but not so much more
/// that it cannot have been stopped in time.
#[track_caller]
pub(crate) fn says_the_figures(error: &Error, limit: u64) {
    let text = error.to_string();
    println!("{text}");
    let halves = text.split_once(" of private memory, more than its limit of ");
    let (before, behind) = halves.unwrap_or_else(|| panic!("it has no figures: {text}"));
    let (had, most) = (last_amount(before), first_amount(behind));
    assert_eq!(most, limit as f64, "{text}");
    assert!(had > most && had < most + 1300.0 * MIB, "{text}");
}

fn first_amount(text: &str) -> f64 {
    let mut words = text.split([' ', ';', ',']);
    amount(words.next(), words.next())
}

fn last_amount(text: &str) -> f64 {
    let mut words = text.rsplit(' ');
    let unit = words.next();
    amount(words.next(), unit)
}

fn amount(number: Option<&str>, unit: Option<&str>) -> f64 {
    let unit = match unit {
        Some("GiB") => 1024.0 * MIB,
        Some("MiB") => MIB,
        Some("KiB") => 1024.0,
        Some("bytes") => 1.0,
        other => panic!("{other:?} is no unit"),
    };
    number.and_then(|number| number.parse::<f64>().ok()).expect("a number stands before its unit") * unit
}

const MIB: f64 = 1_048_576.0;
