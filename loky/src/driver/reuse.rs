//! The memory of a long argument becomes that of the result: it is warm, and no more is needed for both than for one.
//!
//! A call whose result is on its way has begun. If it is not to be tried again, nobody needs its arguments any more; a
//! worker that says later that it has not begun it is not believed (`given`).

use super::calls::Calls;
use super::given::Given;
use super::inner::Pending;
use super::landing::Landing;
use super::order::Items;
use super::room::Room;
use crate::sys::row::Row;
use crate::wire::frame::Head;
use crate::wire::message;

/// The memory for the row of the frame with this head, of this width and length, if its call has some.
#[cold]
pub(super) fn memory_for(
    head: Head,
    (width, bytes): (usize, usize),
    given: &mut Given,
    calls: &mut Calls<Pending, Landing>,
    room: &mut Room,
) -> Option<Row> {
    let (call, item) = message::item_of(head)?;
    let answering = given.answering(call, item)?;
    let order = &mut calls.get_mut(answering.call)?.order;
    let is_last_try = order.limits().retries.unwrap_or(0) == 0 && !order.is_chunk();
    if !is_last_try || !matches!(order.items(), Items::One) {
        return None;
    }
    let before = order.payload.len();
    let row = order.payload.vacate(width, bytes)?;
    answering.vacate();
    room.vacate(before - order.payload.len());
    Some(row)
}
