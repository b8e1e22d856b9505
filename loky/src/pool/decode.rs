//! From what has come of a call to the value that its task has returned, on the thread that wants it. Knows of no handle.

use serde::de::DeserializeOwned;

use crate::driver::{Outcome, Value};
use crate::error::{Error, ErrorKind};
use crate::shared::exhaustion;
use crate::shared::passing::{Arrivals, supplying};
use crate::task;

/// On the thread that receives the result.
pub(super) fn decode<R: DeserializeOwned>(outcome: &mut Outcome, task: &str) -> Result<R, Error> {
    outcome.show_printed();
    let trace = outcome.take_trace();
    let value = outcome.take_single()?;
    trace.decoding(|| match value {
        Value::Bytes(bytes) => decode_result(&bytes, task),
        Value::Enclosing(bytes, arrivals) => decode_enclosing(&bytes, arrivals, task),
        Value::Row(body) => task::decode_row(&body.start, body.row).map_err(|why| undecodable(&why, task)),
    })
}

/// Apart, since most results bring nothing and are quick to decode.
#[inline(never)]
pub(crate) fn decode_enclosing<R: DeserializeOwned>(bytes: &[u8], arrivals: Arrivals, task: &str) -> Result<R, Error> {
    supplying(arrivals, || decode_result(bytes, task))
}

/// The result in `bytes`; a `Deserialize` that fails, or panics, costs this result only.
#[inline]
pub(crate) fn decode_result<R: DeserializeOwned>(bytes: &[u8], task: &str) -> Result<R, Error> {
    task::decode(bytes).map_err(|why| undecodable(&why, task))
}

#[cold]
fn undecodable(why: &str, task: &str) -> Error {
    let (kind, what) =
        if exhaustion::take() { (ErrorKind::OutOfResources, "taken in") } else { (ErrorKind::Decode, "decoded") };
    let what = format!("ran, but its result cannot be {what} in the process that spawned it: {why}");
    Error::new(kind, what).with_task(task).having_run()
}
