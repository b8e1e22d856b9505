//! Messages in pieces: what is long is cut, so that a beat is never behind it, and sent piece by piece between others.
//!
//! There are two lanes. What is urgent is short, and goes before the next piece of anything else; the other messages follow
//! one another in their order. A piece has a head of four bytes: its length, whether it is the last one of its message, and
//! the lane. No length is believed beyond that of a piece, and memory grows with what has come.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::shared::segment::Segment;
use crate::transport::payload::Payload;
use crate::wire::body::Parcel;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Urgent,
    Usual,
}

/// A part of a message, where it lies.
#[derive(Debug)]
pub(super) enum Part {
    Bytes(Vec<u8>),
    Payload(Payload),
    Parcel(Arc<Parcel>),
    Segment(Arc<Segment>),
}

/// A message that is to be sent.
#[derive(Debug)]
pub(super) struct Message(pub(super) Vec<Part>);

/// What is to be sent, on both lanes. Its limit is what may be under way at all: credits, and a beat now and then.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    urgent: VecDeque<Message>,
    usual: VecDeque<Message>,
    /// How many parts of the first usual message were sent, and how many bytes of the part behind them.
    at: (usize, usize),
}

/// What has come.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    head: [u8; HEAD],
    /// How many bytes of the head have come.
    headed: usize,
    /// Of the piece that is coming.
    left: usize,
    lanes: [Vec<u8>; 2],
}

/// Why a row of bytes is none of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    PieceTooLong,
    PieceEmpty,
    MessageTooLong,
    NoMemory,
}

/// What a message may be at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) urgent: usize,
    pub(super) usual: usize,
}

const HEAD: usize = 4;

/// The most bytes in a piece.
const PIECE: usize = 256 << 10;

const LAST: u32 = 1 << 30;
const URGENT: u32 = 1 << 31;

/// What is still unknown of the other side is short.
pub(super) const STRANGER: Most = Most { urgent: 16 << 10, usual: 0 };

/// Values may be longer than four billion bytes: memory is their limit, which is asked for as they come.
pub(super) const KNOWN: Most = Most { urgent: 16 << 10, usual: usize::MAX };

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Payload(payload) => payload.len(),
            Self::Parcel(parcel) => parcel.bytes.len(),
            Self::Segment(segment) => segment.contents().len(),
        }
    }

    /// Appends up to `most` bytes from byte number `from` on.
    fn copy(&self, from: usize, most: usize, to: &mut Vec<u8>) -> usize {
        let end = self.len().min(from + most);
        match self {
            Self::Bytes(bytes) => to.extend_from_slice(&bytes[from..end]),
            // It is in one piece.
            Self::Payload(payload) => to.extend_from_slice(&payload[from..end]),
            Self::Parcel(parcel) => to.extend_from_slice(&parcel.bytes[from..end]),
            Self::Segment(segment) => to.extend_from_slice(&segment.contents()[from..end]),
        }
        end - from
    }
}

impl Message {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(vec![Part::Bytes(bytes)])
    }
}

impl Outgoing {
    pub(super) fn push(&mut self, lane: Lane, message: Message) {
        match lane {
            Lane::Urgent => self.urgent.push_back(message),
            Lane::Usual => self.usual.push_back(message),
        }
    }

    /// Appends pieces to `to`, until it has about as many bytes as a long one.
    pub(super) fn fill(&mut self, to: &mut Vec<u8>) {
        while to.len() < PIECE {
            if let Some(message) = self.urgent.pop_front() {
                whole(&message, URGENT, to);
            } else if let Some(message) = self.usual.front() {
                if piece(message, &mut self.at, to) {
                    self.usual.pop_front();
                    self.at = (0, 0);
                }
            } else {
                return;
            }
        }
    }
}

/// Appends a message as one piece: it is short.
fn whole(message: &Message, lane: u32, to: &mut Vec<u8>) {
    let len: usize = message.0.iter().map(Part::len).sum();
    to.extend_from_slice(&head(len, LAST | lane));
    message.0.iter().for_each(|part| _ = part.copy(0, len, to));
}

/// Appends the next piece of a message. Returns whether it was the last one.
fn piece(message: &Message, at: &mut (usize, usize), to: &mut Vec<u8>) -> bool {
    let start = to.len();
    to.extend_from_slice(&[0; HEAD]);
    while let Some(part) = message.0.get(at.0) {
        let room = PIECE - (to.len() - start - HEAD);
        at.1 += part.copy(at.1, room, to);
        if at.1 < part.len() {
            break;
        }
        *at = (at.0 + 1, 0);
    }
    let is_last = at.0 == message.0.len();
    let head = head(to.len() - start - HEAD, if is_last { LAST } else { 0 });
    to[start..start + HEAD].copy_from_slice(&head);
    is_last
}

fn head(len: usize, flags: u32) -> [u8; HEAD] {
    (u32::try_from(len).expect("pieces are short") | flags).to_le_bytes()
}

impl Incoming {
    /// Takes in what has come, and gives each message that is whole by now to `take`, which says whether to go on: the rest
    /// is left out otherwise.
    pub(super) fn take_in(
        &mut self,
        mut bytes: &[u8],
        most: Most,
        mut take: impl FnMut(Lane, Vec<u8>) -> bool,
    ) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if self.headed < HEAD {
                bytes = self.take_head(bytes)?;
                if self.headed < HEAD {
                    return Ok(());
                }
            }
            let (now, rest) = bytes.split_at(self.left.min(bytes.len()));
            let (lane, is_last) = self.what();
            let room = if lane == Lane::Urgent { most.urgent } else { most.usual };
            let message = &mut self.lanes[lane as usize];
            if room - message.len().min(room) < self.left {
                return Err(Fault::MessageTooLong);
            }
            message.try_reserve(now.len()).map_err(|_| Fault::NoMemory)?;
            message.extend_from_slice(now);
            self.left -= now.len();
            bytes = rest;
            if self.left > 0 {
                return Ok(());
            }
            self.headed = 0;
            if is_last {
                let message = std::mem::take(message);
                if !take(lane, message) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn take_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (now, rest) = bytes.split_at((HEAD - self.headed).min(bytes.len()));
        self.head[self.headed..self.headed + now.len()].copy_from_slice(now);
        self.headed += now.len();
        if self.headed == HEAD {
            let len = u32::from_le_bytes(self.head) & !(LAST | URGENT);
            self.left = usize::try_from(len).ok().filter(|&len| len <= PIECE).ok_or(Fault::PieceTooLong)?;
            if self.left == 0 {
                return Err(Fault::PieceEmpty);
            }
        }
        Ok(rest)
    }

    fn what(&self) -> (Lane, bool) {
        let head = u32::from_le_bytes(self.head);
        (if head & URGENT != 0 { Lane::Urgent } else { Lane::Usual }, head & LAST != 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::worlds::Dice;

    fn long(len: usize, seed: u8) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
    }

    fn all_of(incoming: &mut Incoming, bytes: &[u8], most: Most) -> Result<Vec<(Lane, Vec<u8>)>, Fault> {
        let mut taken = Vec::new();
        incoming.take_in(bytes, most, |lane, message| {
            taken.push((lane, message));
            true
        })?;
        Ok(taken)
    }

    #[test]
    fn messages_arrive_as_they_were_sent_however_they_are_cut() {
        for seed in 0..50 {
            let mut dice = Dice::new(seed);
            let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::default());
            let mut sent: [Vec<Vec<u8>>; 2] = Default::default();
            let mut arrived = sent.clone();
            for number in 0..30 {
                let (lane, len) = match dice.below(4) {
                    0 => (Lane::Urgent, dice.between(1, 100)),
                    1 => (Lane::Usual, dice.between(1, 3 * PIECE as u64)),
                    2 => (Lane::Usual, PIECE as u64),
                    _ => (Lane::Usual, dice.between(1, 100)),
                };
                let whole = long(len as usize, number);
                let (first, second) = whole.split_at(dice.below(len + 1) as usize);
                let parts = vec![Part::Bytes(first.to_vec()), Part::Payload(Payload::copy(second))];
                outgoing.push(lane, Message(parts));
                sent[lane as usize].push(whole);
                if dice.chance(300) {
                    let mut bytes = Vec::new();
                    outgoing.fill(&mut bytes);
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let (now, later) = rest.split_at(dice.between(1, rest.len() as u64) as usize);
                        for (lane, message) in all_of(&mut incoming, now, KNOWN).unwrap() {
                            arrived[lane as usize].push(message);
                        }
                        rest = later;
                    }
                }
            }
            loop {
                let mut bytes = Vec::new();
                outgoing.fill(&mut bytes);
                if bytes.is_empty() {
                    break;
                }
                for (lane, message) in all_of(&mut incoming, &bytes, KNOWN).unwrap() {
                    arrived[lane as usize].push(message);
                }
            }
            assert!(sent == arrived, "seed {seed}");
        }
    }

    #[test]
    fn what_is_urgent_waits_for_one_piece_at_most() {
        let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::default());
        outgoing.push(Lane::Usual, Message::of(long(64 << 20, 1)));
        let mut bytes = Vec::new();
        outgoing.fill(&mut bytes);
        outgoing.push(Lane::Urgent, Message::of(b"beat".to_vec()));
        assert!(bytes.len() <= PIECE + HEAD && all_of(&mut incoming, &bytes, KNOWN).unwrap().is_empty());
        bytes.clear();
        outgoing.fill(&mut bytes);
        assert_eq!(all_of(&mut incoming, &bytes, KNOWN).unwrap(), [(Lane::Urgent, b"beat".to_vec())]);
    }

    #[test]
    fn no_length_is_believed() {
        let try_to =
            |head: u32, most| all_of(&mut Incoming::default(), &[&head.to_le_bytes()[..], &[0; 9]].concat(), most);
        assert_eq!(try_to(LAST | (PIECE as u32 + 1), KNOWN), Err(Fault::PieceTooLong));
        assert_eq!(try_to(LAST, KNOWN), Err(Fault::PieceEmpty));
        assert_eq!(try_to(URGENT | LAST | 17_000, KNOWN), Err(Fault::MessageTooLong));
        assert_eq!(try_to(LAST | 1, STRANGER), Err(Fault::MessageTooLong));
        let mut incoming = Incoming::default();
        let piece = [&head(10_000, URGENT)[..], &[0; 10_000]].concat();
        assert_eq!(all_of(&mut incoming, &piece, STRANGER), Ok(vec![]));
        assert_eq!(all_of(&mut incoming, &piece, STRANGER), Err(Fault::MessageTooLong), "in pieces, too");
        let mut patient = Incoming::default();
        assert_eq!(all_of(&mut patient, &head(PIECE, 0), KNOWN), Ok(vec![]));
        assert_eq!(patient.lanes[1].capacity(), 0, "memory grows with what has come");
    }
}
