//! The floor of memory that all processes share: a memfd that is filled, a descriptor that is passed and mapped, a look
//! at what is mapped.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::bare::{Forked, View, receive_file, send_file};
use super::ping;
use crate::absent::{Measured, failed};
use crate::cell::Notes;
use crate::scale::{Scale, median};
use crate::tasks;
use crate::workload::shared::{AGAIN, FIRST, SUMS, many_values, some_values};

pub(super) fn measure(scale: Scale, notes: &Notes) {
    notes.put("shared_echo_first", passed(scale));
    // Nothing is passed then but a word that says so, whatever the size.
    let again = ping::spinning(scale.pick(AGAIN, 500)).map(|(median, _)| median);
    for key in ["shared_echo_1m", "shared_echo_512m"] {
        notes.put(key, again.as_ref().map(|time| *time).map_err(Clone::clone));
    }
    for (key, time) in ["shared_put", "shared_sum_first", "shared_sum_again"].into_iter().zip(sums(scale)) {
        notes.put(key, time);
    }
}

/// A descriptor goes over a socket, and what it is of is mapped, looked at and unmapped there.
fn passed(scale: Scale) -> Measured<f64> {
    let (mut ours, mut theirs) = UnixStream::pair()?;
    let values = some_values();
    let _other = Forked::begin(|| {
        while let Ok(file) = receive_file(&theirs) {
            let view = View::map(&file, values.len()).expect("it is that long");
            black_box(view.values()[0]);
            theirs.write_all(&[1]).expect("somebody waits for it");
        }
    })?;
    scale.median_of(FIRST, || {
        let file = filled(&values)?;
        let begin = Instant::now();
        send_file(&ours, file.as_raw_fd())?;
        ours.read_exact(&mut [0])?;
        Ok(begin.elapsed().as_nanos() as f64)
    })
}

/// Filling, mapping and the first sum, and the next ones: all in this process.
fn sums(scale: Scale) -> [Measured<f64>; 3] {
    let values = many_values(scale);
    let expected = tasks::sum(&values);
    let begin = Instant::now();
    let file = match filled(&values) {
        Ok(file) => file,
        Err(why) => return [Err(why), failed("not filled"), failed("not filled")],
    };
    let put = begin.elapsed().as_nanos() as f64;
    let len = values.len();
    drop(values);
    let begin = Instant::now();
    let view = match View::map(&file, len) {
        Ok(view) => view,
        Err(why) => return [Ok(put), Err(why.into()), failed("not mapped")],
    };
    let sum = |begin: Instant| {
        let sum = tasks::sum(view.values());
        if sum == expected { Ok(begin.elapsed().as_nanos() as f64) } else { failed("a wrong sum") }
    };
    let first = sum(begin);
    let again: Measured<Vec<f64>> = (0..scale.pick(SUMS, 2)).map(|_| sum(Instant::now())).collect();
    [Ok(put), first, again.map(median)]
}

fn filled(values: &[f64]) -> Measured<File> {
    let mut file = File::from(memfd_create(c"floor", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytemuck::cast_slice(values))?;
    Ok(file)
}
