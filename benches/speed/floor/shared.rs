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
use crate::scale::Scale;
use crate::tasks;
use crate::workload::shared::{self as workload, AGAIN, FIRST, many_values, some_values};

pub(super) fn measure(scale: Scale, notes: &Notes) {
    notes.put("shared_echo_first", passed(scale));
    // Nothing is passed then but a word that says so, whatever the size.
    let again = ping::spinning(scale.pick(AGAIN, 500)).map(|(median, _)| median);
    for key in ["shared_echo_1m", "shared_echo_512m"] {
        notes.put(key, again.as_ref().map(|time| *time).map_err(Clone::clone));
    }
    let keys = ["shared_put", "shared_sum_first", "shared_sum_again", "shared_sum_added"];
    for (key, time) in keys.into_iter().zip(sums(scale)) {
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

/// Filling, mapping and the first sum, all in this process; the next ones in another one that is asked for them.
fn sums(scale: Scale) -> [Measured<f64>; 4] {
    let values = many_values(scale);
    let expected = tasks::sum(&values);
    let begin = Instant::now();
    let file = match filled(&values) {
        Ok(file) => file,
        Err(why) => return [Err(why), failed("not filled"), failed("not filled"), failed("not filled")],
    };
    let put = begin.elapsed().as_nanos() as f64;
    let len = values.len();
    drop(values);
    let begin = Instant::now();
    let view = match View::map(&file, len) {
        Ok(view) => view,
        Err(why) => return [Ok(put), Err(why.into()), failed("not mapped"), failed("not mapped")],
    };
    let sum = tasks::sum(view.values());
    let first = if sum == expected { Ok(begin.elapsed().as_nanos() as f64) } else { failed("a wrong sum") };
    let [again, added] = match asked(scale, &file, &view) {
        Ok(sums) => sums,
        Err(why) => [Err(why), failed("nobody was asked")],
    };
    [Ok(put), first, again, added]
}

/// The sum in a process that has the same file mapped, and is asked and answers over pipes, as who rests meanwhile is.
fn asked(scale: Scale, file: &File, view: &View) -> Measured<[Measured<f64>; 2]> {
    let (mut request, mut ask) = ping::pipe()?;
    let (mut answer, mut respond) = ping::pipe()?;
    let _other = Forked::begin(|| {
        let view = View::map(file, view.values().len()).expect("it is that long");
        let mut asked = [0];
        while request.read_exact(&mut asked).is_ok() {
            let sum = tasks::sum(view.values());
            respond.write_all(&sum.to_le_bytes()).expect("somebody waits for it");
        }
    })?;
    let mut ask_for_it = || {
        let (begin, mut sum) = (Instant::now(), [0; size_of::<f64>()]);
        ask.write_all(&[1])?;
        answer.read_exact(&mut sum)?;
        black_box(f64::from_le_bytes(sum));
        Ok(begin.elapsed().as_nanos() as f64)
    };
    // It touches what it has mapped.
    ask_for_it()?;
    Ok(workload::sums(scale, view.values(), ask_for_it))
}

fn filled(values: &[f64]) -> Measured<File> {
    let mut file = File::from(memfd_create(c"floor", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytemuck::cast_slice(values))?;
    Ok(file)
}
