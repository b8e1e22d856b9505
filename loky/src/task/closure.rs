//! A closure as a task: its captures as bytes, and code that every process of the build has.
//!
//! The glue around a closure captures nothing, so a value of it needs no bytes: its type alone, which is part of the
//! code that gives the entry, says what to run. Nothing here knows how a variable is captured.

use std::sync::Arc;

use super::arguments::ArgumentReader;
use super::capture::{Capture, Captured, Glue, Named};
use super::entry::{Entry, Fault, Opened};
use super::find::{TaskRef, located};
use super::passage::{Returned, write_result};
use crate::error::Error;
use crate::sys::conjure::conjure;

/// The task that runs `G` with `captures`.
pub(crate) fn closure<P, C, G, R>(captures: Captured<C>) -> Result<TaskRef, Error>
where
    P: Named,
    C: Capture + 'static,
    G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
    R: Returned,
{
    let captures = captures.into_encoded().map_err(|why| why.with_task(P::NAME))?;
    Ok(TaskRef { captures: Some(Arc::new(captures.into())), ..located(entry::<P, C, G, R>)? })
}

fn entry<P, C, G, R>() -> &'static Entry
where
    P: Named,
    C: Capture + 'static,
    G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
    R: Returned,
{
    const {
        let (file, line, column) = P::PLACE;
        &Entry::closure(P::NAME, open::<C, G, R>).at(file, line, column).of_version(P::VERSION)
    }
}

/// In the worker, once for each call: the captures are read, and lent to each item.
fn open<C, G, R>(captures: &[u8]) -> Result<Opened, Fault>
where
    C: Capture + 'static,
    G: for<'a, 'r, 'b> Fn(C::Lent<'a>, &'r mut ArgumentReader<'b>) -> Result<R, Fault> + Glue,
    R: Returned,
{
    let mut reader = ArgumentReader::new(captures);
    let owner = C::read(&mut reader)?;
    reader.finish()?;
    Ok(Box::new(move |arguments, result| {
        let returned = conjure::<G>()(C::lend(&owner)?, arguments)?;
        write_result(result, returned)
    }))
}
