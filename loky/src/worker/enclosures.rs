//! Takes in what the parent gives beside the bytes of calls, and sends what goes beside those of results.

use std::io;
use std::os::fd::OwnedFd;

use crate::shared::passing::{self, Arrival, Enclosed, Item, Name};
use crate::shared::segment::Kind;
use crate::transport::worker_link::Speaker;
use crate::wire::enclosure::{Enclosure, What};
use crate::wire::message::{self, Failure};

/// The parent has given this; `fd` is `None` if there was no room for it.
pub(super) fn take_in(Enclosure { id, what, len }: Enclosure, fd: Option<OwnedFd>) {
    let name = Name::Given(id);
    let arrival = match (what, fd) {
        (_, None) => Arrival::lost(name),
        (What::Sealed, Some(fd)) => Arrival::waiting(name, fd, len, Kind::Sealed),
        (What::File, Some(fd)) => Arrival::waiting(name, fd, len, Kind::File),
        (What::Descriptor, Some(fd)) => Arrival::fd(name, fd),
        // No parent of ours says that.
        (What::Readers, Some(_)) => return,
    };
    if what == What::Descriptor {
        passing::give_fd(arrival);
    } else {
        passing::give(id, arrival);
    }
}

/// Sends what the result encloses that comes next. The inner error: it cannot be sent. The outer one: the parent is gone.
pub(super) fn send(speaker: &mut Speaker, enclosed: &Enclosed) -> io::Result<Result<(), Failure>> {
    for item in enclosed.items() {
        let (is_sent, enclosure) = match item {
            Item::Parents(id) => {
                // Without a descriptor, and so without hurry: it goes with the result.
                let (head, bytes) = message::encloses(Enclosure { id: *id, what: What::Readers, len: 0 });
                speaker.add_alone(head, bytes.as_ref())?;
                continue;
            }
            Item::Segment(segment) => {
                let (id, len) = (segment.id(), segment.core().len());
                (speaker.enclose(&**segment.core())?, Enclosure { id, what: What::Sealed, len })
            }
            Item::Fd(fd) => (speaker.enclose(&**fd)?, Enclosure { id: fd.id, what: What::Descriptor, len: 0 }),
        };
        if !is_sent {
            let why = "too many descriptors are on their way; return fewer at once";
            return Ok(Err(Failure::Lacks { has_run: true, why: why.to_string() }));
        }
        let (head, bytes) = message::encloses(enclosure);
        speaker.add(head, bytes.as_ref(), &[])?;
        // At once: the parent takes in no more descriptors than it has heard of.
        speaker.flush();
    }
    Ok(Ok(()))
}
