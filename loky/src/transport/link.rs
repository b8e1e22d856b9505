//! The parent's end of a link: never blocks.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys::socket;
use crate::wire::codec::CodecError;
use crate::wire::frame::{self, Found, FrameError, Reader};

/// The bytes of a payload, shared: a call that is tried again is sent from the same memory.
pub(crate) type Payload = Arc<Vec<u8>>;

/// A part of a payload.
pub(crate) type Piece<'a> = (&'a Payload, Range<usize>);

/// The parent's end of a link to a worker that says `M`.
///
/// What is queued here is bounded by the credit of the worker: the scheduler gives it no further call.
#[derive(Debug)]
pub(crate) struct Link<M, S = UnixStream> {
    stream: S,
    reader: Reader<M>,
    queue: VecDeque<Part>,
}

/// A stream that does not block, and that is written to without a signal.
pub(crate) trait Stream: Read {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

impl Stream for UnixStream {
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        socket::write_some(self, bytes)
    }
}

/// Bytes that wait to be written.
#[derive(Debug)]
enum Part {
    Head(Vec<u8>, usize),
    Payload(Payload, Range<usize>),
}

impl Part {
    fn rest(&self) -> &[u8] {
        match self {
            Self::Head(bytes, from) => &bytes[*from..],
            Self::Payload(bytes, range) => &bytes[range.clone()],
        }
    }

    fn advance(&mut self, by: usize) {
        match self {
            Self::Head(_, from) => *from += by,
            Self::Payload(_, range) => range.start += by,
        }
    }
}

impl<M: DeserializeOwned, S: Stream> Link<M, S> {
    /// `stream` must not block.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, reader: Reader::new(), queue: VecDeque::new() }
    }

    /// Queues a message with `pieces` as its payload; [`flush`](Self::flush) writes it.
    pub(crate) fn send(&mut self, message: &impl Serialize, pieces: &[Piece<'_>]) -> Result<(), CodecError> {
        let len = pieces.iter().map(|(_, range)| range.len()).sum();
        self.queue.push_back(Part::Head(frame::head(message, len)?, 0));
        let pieces = pieces.iter().filter(|(_, range)| !range.is_empty());
        self.queue.extend(pieces.map(|(payload, range)| Part::Payload(Arc::clone(payload), range.clone())));
        Ok(())
    }

    /// Writes what the worker takes now. Whether anything is left is told by [`is_blocked`](Self::is_blocked); a
    /// worker that is gone takes nothing and is no error here: its end of file tells it.
    pub(crate) fn flush(&mut self) {
        while let Some(part) = self.queue.front_mut() {
            let rest = part.rest();
            if rest.is_empty() {
                self.queue.pop_front();
                continue;
            }
            match self.stream.write_some(rest) {
                Ok(written) => part.advance(written),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return self.queue.clear(),
            }
        }
    }

    /// Whether queued bytes wait for the worker to take them.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next whole frame, if there is one.
    pub(crate) fn receive(&mut self) -> Result<Found<M>, FrameError> {
        self.reader.read(&mut self.stream)
    }
}

impl<M> AsFd for Link<M> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, then blocks, and then is gone.
    struct Taker {
        taken: Vec<u8>,
        room: usize,
        is_gone: bool,
    }

    impl Read for Taker {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    impl Stream for Taker {
        fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.is_gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let len = bytes.len().min(self.room);
            if len == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= len;
            self.taken.extend_from_slice(&bytes[..len]);
            Ok(len)
        }
    }

    fn link(room: usize) -> Link<String, Taker> {
        let mut link = Link::new(Taker { taken: Vec::new(), room, is_gone: false });
        let payload = Arc::new(b"0123456789".to_vec());
        link.send(&"first".to_string(), &[(&payload, 2..4), (&payload, 7..8)]).unwrap();
        link.send(&"second".to_string(), &[]).unwrap();
        link
    }

    #[test]
    fn bytes_leave_in_order_however_little_is_taken() {
        let mut link = link(0);
        while link.is_blocked() {
            link.stream.room = 1;
            link.flush();
        }
        let (mut reader, mut bytes) = (Reader::<String>::new(), &link.stream.taken[..]);
        let Found::Frame(first) = reader.read(&mut bytes).unwrap() else { panic!("no first frame") };
        assert_eq!((first.message.as_str(), &first.payload[..]), ("first", &b"237"[..]));
        let Found::Frame(second) = reader.read(&mut bytes).unwrap() else { panic!("no second frame") };
        assert_eq!((second.message.as_str(), second.payload.len()), ("second", 0));
    }

    #[test]
    fn a_worker_that_is_gone_is_not_waited_for() {
        let mut link = link(3);
        link.flush();
        assert!(link.is_blocked());
        link.stream.is_gone = true;
        link.flush();
        assert!(!link.is_blocked());
    }
}
