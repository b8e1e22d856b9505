//! A message and its payload as a row of bytes: `u32` length of the message, `u64` length of the payload, then both.
//!
//! The reader takes bytes in pieces of any size. It believes no length: a message longer than any honest one is an
//! error, and a payload's memory grows with the bytes that have arrived, not with what was announced.

use std::fmt;
use std::io::{self, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{self, CodecError};

/// A message with its payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<M> {
    pub(crate) message: M,
    pub(crate) payload: Vec<u8>,
}

/// Why bytes are not frames.
#[derive(Debug)]
pub(crate) enum FrameError {
    /// The announced length of the message or of the payload is beyond its limit.
    TooLong(u64),
    Codec(CodecError),
    Io(io::Error),
}

/// What one look into a stream brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<M> {
    Frame(Frame<M>),
    /// A burst was read, and the frame is not whole: there may be more.
    More,
    /// There is nothing more for now.
    Blocked,
    /// The other side has closed the stream; with `mid_frame`, in the middle of a frame.
    Closed {
        mid_frame: bool,
    },
}

const HEAD_LEN: usize = 12;

/// How much one look into a stream reads at the most, so that one busy worker does not keep the others waiting.
const BURST: usize = 1 << 20;

/// No honest message is longer: the longest names every item of a chunk, or carries a backtrace.
const MESSAGE_LEN_MAX: u64 = 64 << 20;

/// More than any address space of today.
const PAYLOAD_LEN_MAX: u64 = 1 << 47;

/// The bytes that stand before a payload of `payload_len` bytes.
pub(crate) fn head<M: Serialize>(message: &M, payload_len: usize) -> Result<Vec<u8>, CodecError> {
    let mut bytes = vec![0; HEAD_LEN];
    codec::encode_into(&mut bytes, message)?;
    let message_len = u32::try_from(bytes.len() - HEAD_LEN).expect("messages are bounded far below 4 GiB");
    bytes[..4].copy_from_slice(&message_len.to_le_bytes());
    bytes[4..HEAD_LEN].copy_from_slice(&(payload_len as u64).to_le_bytes());
    Ok(bytes)
}

/// Finds frames in a stream of bytes.
#[derive(Debug)]
pub(crate) struct Reader<M> {
    /// What has arrived of the current part.
    bytes: Vec<u8>,
    part: Part<M>,
}

/// What is read next.
#[derive(Debug)]
enum Part<M> {
    Head,
    Message { len: usize, payload_len: usize },
    Payload { message: M, len: usize },
}

impl<M: DeserializeOwned> Reader<M> {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), part: Part::Head }
    }

    /// Reads from `stream` until a frame is whole, the stream would block or ends, or a burst has been read. Reads
    /// nothing beyond the frame.
    pub(crate) fn read(&mut self, stream: &mut impl Read) -> Result<Found<M>, FrameError> {
        let mut burst = BURST;
        loop {
            let missing = self.part.len() - self.bytes.len();
            let asked = missing.min(burst);
            let before = self.bytes.len();
            // `read_to_end` keeps what it has got when it meets an error, and lets the buffer grow as bytes arrive.
            match stream.take(asked as u64).read_to_end(&mut self.bytes) {
                Ok(_) if self.bytes.len() - before < asked => return Ok(self.closed()),
                Ok(_) if asked < missing => return Ok(Found::More),
                Ok(_) => burst -= asked,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(Found::Blocked),
                Err(why) if is_hang_up(&why) => return Ok(self.closed()),
                Err(why) => return Err(FrameError::Io(why)),
            }
            if let Some(frame) = self.next_part()? {
                return Ok(Found::Frame(frame));
            }
        }
    }

    /// Goes on to the next part; the last one completes a frame.
    fn next_part(&mut self) -> Result<Option<Frame<M>>, FrameError> {
        let bytes = std::mem::take(&mut self.bytes);
        match std::mem::replace(&mut self.part, Part::Head) {
            Part::Head => {
                let (len, payload_len) = lengths(&bytes)?;
                self.part = Part::Message { len, payload_len };
            }
            Part::Message { payload_len, .. } => {
                let message = codec::decode(&bytes).map_err(FrameError::Codec)?;
                self.part = Part::Payload { message, len: payload_len };
            }
            Part::Payload { message, .. } => return Ok(Some(Frame { message, payload: bytes })),
        }
        Ok(None)
    }

    fn closed(&self) -> Found<M> {
        Found::Closed { mid_frame: !matches!(self.part, Part::Head) || !self.bytes.is_empty() }
    }
}

impl<M> Part<M> {
    fn len(&self) -> usize {
        match self {
            Self::Head => HEAD_LEN,
            Self::Message { len, .. } | Self::Payload { len, .. } => *len,
        }
    }
}

fn lengths(head: &[u8]) -> Result<(usize, usize), FrameError> {
    let (message, payload) = head.split_at(4);
    let message = u32::from_le_bytes(message.try_into().expect("four bytes")).into();
    let payload = u64::from_le_bytes(payload.try_into().expect("eight bytes"));
    Ok((checked(message, MESSAGE_LEN_MAX)?, checked(payload, PAYLOAD_LEN_MAX)?))
}

fn checked(len: u64, max: u64) -> Result<usize, FrameError> {
    usize::try_from(len).ok().filter(|_| len <= max).ok_or(FrameError::TooLong(len))
}

/// A peer that was killed with bytes of ours unread resets the stream: it is gone all the same.
fn is_hang_up(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(len) => write!(f, "a length of {len} bytes is beyond every limit"),
            Self::Codec(why) => write!(f, "a message is not understood: {why}"),
            Self::Io(why) => write!(f, "the link failed: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out its bytes in pieces and blocks after each.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                self.1 = 1;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let len = self.0.len().min(self.1).min(out.len());
            out[..len].copy_from_slice(&self.0[..len]);
            (self.0, self.1) = (&self.0[len..], self.1 - len);
            Ok(len)
        }
    }

    fn row(message: &str, payload: &[u8]) -> Vec<u8> {
        [head(&message, payload.len()).unwrap(), payload.to_vec()].concat()
    }

    #[test]
    fn frames_are_found_in_pieces_of_one_byte() {
        let bytes = [row("one", b""), row("two", b"payload")].concat();
        let (mut stream, mut reader, mut found) = (Pieces(&bytes, 0), Reader::<String>::new(), Vec::new());
        loop {
            match reader.read(&mut stream).unwrap() {
                Found::Frame(frame) => found.push((frame.message, frame.payload)),
                Found::More | Found::Blocked => {}
                Found::Closed { mid_frame } => break assert!(!mid_frame),
            }
        }
        assert_eq!(found, [("one".into(), vec![]), ("two".into(), b"payload".to_vec())]);
    }

    #[test]
    fn a_stream_cut_after_any_byte_is_closed_in_mid_frame() {
        let bytes = row("message", b"payload");
        for len in 1..bytes.len() {
            let read = Reader::<String>::new().read(&mut &bytes[..len]).unwrap();
            assert_eq!(read, Found::Closed { mid_frame: true }, "cut after {len} bytes");
        }
        assert_eq!(Reader::<String>::new().read(&mut &b""[..]).unwrap(), Found::Closed { mid_frame: false });
    }

    #[test]
    fn lengths_that_lie_are_errors_and_cost_no_memory() {
        let message = [u32::MAX.to_le_bytes().as_slice(), &[0; 8]].concat();
        assert!(matches!(Reader::<String>::new().read(&mut &message[..]), Err(FrameError::TooLong(_))));
        let payload = [[0; 4].as_slice(), &u64::MAX.to_le_bytes()].concat();
        assert!(matches!(Reader::<String>::new().read(&mut &payload[..]), Err(FrameError::TooLong(_))));
        let mut announced = row("message", b"few");
        announced[4..HEAD_LEN].copy_from_slice(&(1_u64 << 46).to_le_bytes());
        let mut reader = Reader::<String>::new();
        assert_eq!(reader.read(&mut &announced[..]).unwrap(), Found::Closed { mid_frame: true });
        assert!(reader.bytes.capacity() < 1 << 16);
    }
}
