//! What an agent and the driver's side say to each other.
//!
//! A message is the length of its head, the head, and bytes that follow, if any do. The first message of an agent begins with
//! words that never change, so that two versions can refuse each other in words. Whatever cannot be understood is an error:
//! the other side has the secret, but nobody is believed for that.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lease::Rhythm;
use super::pieces::{Message, Part};
use crate::config::SettingsSaid;
use crate::driver::{OrderSaid, OutcomeSaid};
use crate::ids::CallId;
use crate::wire::codec;
use crate::wire::message::Build;

/// Changes with every change of what is said here or how. What a build says of tasks is compared beside it.
pub(super) const PROTOCOL: u32 = 1;

/// Who wants to be an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) build: Build,
    pub(super) host: String,
    pub(super) pid: u32,
    /// How many processors it has for us.
    pub(super) cpus: usize,
    /// Its number among the agents of this program.
    pub(super) node: u32,
}

/// What the driver's side says on the urgent lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// The agent is one.
    Welcome(Rhythm),
    /// It will not be one, and need not try again.
    Refused(String),
    /// This beat was heard.
    Echo(u64),
    /// The program has ended, and no agent is needed any more.
    End,
}

/// What an agent says on the urgent lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Sign {
    Beat(u64),
    /// It begins nothing more.
    Draining,
    /// It has nothing any more, and its workers are gone.
    Left,
}

/// What the driver's side wants of an agent, for one of its pools.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Wish {
    Open(SettingsSaid),
    /// Later orders, of any pool, enclose this memory.
    Give(u64),
    /// No later order encloses it any more.
    Forget(u64),
    Run {
        call: CallId,
        attempt: u32,
        order: OrderSaid,
    },
    Cancel(CallId),
    AskToEnd(CallId, Duration),
    /// Give it back if it has not begun.
    Recall(CallId),
    Resize(usize),
    WarmUp,
    Close {
        is_forced: bool,
    },
}

/// What an agent says about one of its pools.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Done {
        call: CallId,
        attempt: u32,
        outcome: OutcomeSaid,
    },
    /// It has not begun.
    GivenBack {
        call: CallId,
        attempt: u32,
    },
    /// All workers that were wanted are there, or cannot be had.
    Warm,
    /// Nothing of the pool is left.
    Closed,
}

/// Which pool is meant.
pub(super) type PoolId = u32;

/// The bytes of the first message of an agent before the hello.
const GREETING: &[u8; 8] = b"loky\0ag\n";

/// What an agent says first.
pub(super) fn greeting(hello: &Hello) -> Message {
    let mut bytes = [&GREETING[..], &PROTOCOL.to_le_bytes()].concat();
    append(&mut bytes, hello);
    Message::of(bytes)
}

/// The hello in the first message of an agent; an error says in words what it is instead.
pub(super) fn greeted(bytes: &[u8]) -> Result<Hello, String> {
    let rest = bytes.strip_prefix(GREETING).ok_or("it does not say what an agent says first")?;
    let (protocol, hello) = rest.split_first_chunk().ok_or("it says less than an agent says first")?;
    let protocol = u32::from_le_bytes(*protocol);
    if protocol != PROTOCOL {
        return Err(format!("it speaks protocol {protocol} of `loky`, and this program {PROTOCOL}"));
    }
    codec::decode(hello).map_err(|why| format!("its hello cannot be understood: {why}"))
}

/// A message of a head alone, for the urgent lane.
pub(super) fn short<T: Serialize>(head: &T) -> Message {
    let mut bytes = Vec::new();
    append(&mut bytes, head);
    Message::of(bytes)
}

pub(super) fn heard_short<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    codec::decode(bytes).ok()
}

/// A message about a pool, and what follows.
pub(super) fn of_pool<T: Serialize>(pool: PoolId, head: &T, follow: impl IntoIterator<Item = Part>) -> Message {
    let mut bytes = vec![0; PREFIX];
    append(&mut bytes, head);
    let len = u32::try_from(bytes.len() - PREFIX).expect("what is said of a call is less than four billion bytes");
    bytes[..4].copy_from_slice(&pool.to_le_bytes());
    bytes[4..PREFIX].copy_from_slice(&len.to_le_bytes());
    let mut parts = vec![Part::Bytes(bytes)];
    parts.extend(follow);
    Message(parts)
}

/// The pool, the head, and what follows.
pub(super) fn heard_of_pool<T: DeserializeOwned>(bytes: &[u8]) -> Option<(PoolId, T, &[u8])> {
    let (pool, rest) = bytes.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let (head, follow) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    Some((u32::from_le_bytes(*pool), codec::decode(head).ok()?, follow))
}

fn append<T: Serialize>(bytes: &mut Vec<u8>, value: &T) {
    codec::encode_into(bytes, value).expect("what is said here can be encoded");
}

/// The number of the pool, and the length of the head.
const PREFIX: usize = 8;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn hello() -> Hello {
        let build = Build { protocol: 7, tasks: 1, image: 2 };
        Hello { build, host: "n1".to_string(), pid: 4, cpus: 8, node: 3 }
    }

    fn bytes_of(message: Message) -> Vec<u8> {
        let parts = message.0.into_iter().map(|part| match part {
            Part::Bytes(bytes) => bytes,
            Part::Payload(payload) => payload.to_vec(),
            Part::Parcel(parcel) => parcel.bytes.to_vec(),
            Part::Segment(segment) => segment.contents().to_vec(),
        });
        parts.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_hello_arrives_and_a_stranger_is_told_apart() {
        let said = bytes_of(greeting(&hello()));
        assert_eq!(greeted(&said), Ok(hello()));
        let mut newer = said.clone();
        newer[8] += 1;
        assert_eq!(greeted(&newer), Err("it speaks protocol 2 of `loky`, and this program 1".to_string()));
        assert!(greeted(b"GET / HTTP/1.1").is_err() && greeted(&said[..10]).is_err());
        assert!(greeted(&said[..said.len() - 1]).unwrap_err().contains("cannot be understood"));
    }

    #[test]
    fn what_is_said_of_a_pool_arrives_whole_or_not_at_all() {
        let follow = [Part::Payload(crate::transport::payload::Payload::copy(b"abc"))];
        let said = bytes_of(of_pool(7, &Wish::Cancel(CallId::from_raw(9)), follow));
        let (pool, wish, rest) = heard_of_pool::<Wish>(&said).unwrap();
        assert!(matches!(wish, Wish::Cancel(call) if call.raw() == 9) && (pool, rest) == (7, &b"abc"[..]));
        (0..said.len() - 3).for_each(|len| assert!(heard_of_pool::<Wish>(&said[..len]).is_none()));
        let mut lie = said.clone();
        lie[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(heard_of_pool::<Wish>(&lie).is_none());
        lie[4..8].copy_from_slice(&[1, 0, 0, 0]);
        assert!(heard_of_pool::<Wish>(&lie).is_none());
    }

    #[test]
    fn a_beat_is_an_echo() {
        let echo = bytes_of(short(&Word::Echo(5)));
        assert!(matches!(heard_short(&echo), Some(Word::Echo(5))));
        assert!(heard_short::<Word>(&echo[1..]).is_none() && heard_short::<Word>(&[9; 12]).is_none());
    }
}
