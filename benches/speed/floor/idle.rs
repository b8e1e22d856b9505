//! The floor of an idle worker's memory: copies of this process that do nothing and never became another program.

use std::thread;

use super::bare::Forked;
use crate::absent::Measured;
use crate::scale::median;

pub(super) fn median_of_four(look: fn(u32) -> Measured<f64>) -> Measured<f64> {
    let idle = || loop {
        thread::park();
    };
    let processes = (0..4).map(|_| Forked::begin(idle)).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(std::time::Duration::from_millis(50));
    Ok(median(processes.iter().map(|process| look(process.pid())).collect::<Measured<_>>()?))
}
