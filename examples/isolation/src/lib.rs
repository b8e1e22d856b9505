//! Arithmetic on text, with the faults of its kind: too deep a nesting overflows the stack, and there is a setting for the
//! whole process. [`tests`] tries all of it, each case in a process of its own, under plain `cargo test`.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};

static DIGITS: AtomicU32 = AtomicU32::new(3);

/// How many digits behind the point [`compute`] rounds to, in the whole process.
pub fn set_digits(digits: u32) {
    DIGITS.store(digits, Ordering::Relaxed);
}

/// The value of a sum of products of numbers and parentheses.
///
/// # Errors
///
/// What is not understood, from there on.
pub fn compute(text: &str) -> Result<f64, String> {
    let mut rest = text;
    let value = sum(&mut rest)?;
    if !rest.is_empty() {
        return Err(rest.to_string());
    }
    let unit = 10_f64.powi(DIGITS.load(Ordering::Relaxed) as i32);
    Ok((value * unit).round() / unit)
}

fn sum(rest: &mut &str) -> Result<f64, String> {
    let mut value = product(rest)?;
    while let Some(after) = rest.strip_prefix('+') {
        *rest = after;
        value += product(rest)?;
    }
    Ok(value)
}

fn product(rest: &mut &str) -> Result<f64, String> {
    let mut value = factor(rest)?;
    while let Some(after) = rest.strip_prefix('*') {
        *rest = after;
        value *= factor(rest)?;
    }
    Ok(value)
}

fn factor(rest: &mut &str) -> Result<f64, String> {
    if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let value = sum(rest)?;
        *rest = rest.strip_prefix(')').ok_or_else(|| rest.to_string())?;
        return Ok(value);
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    let value = number.parse().map_err(|_| rest.to_string())?;
    *rest = after;
    Ok(value)
}
