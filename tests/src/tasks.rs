//! Tasks that several files of cases call; they live in a library crate, as the tasks of a user's own library would.

use std::fmt;
use std::hint::black_box;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::thorn::{Fault, Moment, Thorn};
use crate::{Gate, sys};

/// The sum.
#[loky::task]
pub fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// The square.
#[loky::task]
pub fn square(x: u64) -> u64 {
    x * x
}

/// The process that ran this call.
#[loky::task]
pub fn pid() -> u32 {
    std::process::id()
}

/// Sleeps, then tells the process that ran this call.
#[loky::task]
pub fn sleep_for(span: Duration) -> u32 {
    sleep(span);
    std::process::id()
}

/// Arrives at the gate with its pid, waits there, and gives its argument back.
#[loky::task]
pub fn meet(gate: Gate, value: u64) -> u64 {
    gate.arrive(&std::process::id().to_string());
    gate.pass();
    value
}

/// Arrives at the gate under a name, and does not wait.
#[loky::task]
pub fn leave_word(gate: Gate, word: &str) {
    gate.arrive(word);
}

/// Arrives at the gate with its pid and never leaves the processor.
#[loky::task]
pub fn spin(gate: Gate) {
    gate.arrive(&std::process::id().to_string());
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns).wrapping_add(1);
    }
}

/// A way in which a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Death {
    /// `std::process::abort`.
    Abort,
    /// `std::process::exit`, with what is registered for the end.
    Exit(i32),
    /// `_exit`, with nothing.
    ExitNow(i32),
    /// A write to address zero.
    NullWrite,
    /// Recursion without end.
    StackOverflow,
    /// A signal that the process sends itself.
    Signal(i32),
}

/// Dies, in a worker only.
#[loky::task]
pub fn die(death: Death) -> u32 {
    assert!(loky::is_worker(), "this would have killed the test");
    match death {
        Death::Abort => std::process::abort(),
        Death::Exit(code) => std::process::exit(code),
        Death::ExitNow(code) => sys::exit_now(code),
        Death::NullWrite => sys::null_write(),
        Death::StackOverflow => dig(1) as u32,
        Death::Signal(number) => {
            raise(Signal::try_from(number).expect("the case names a signal")).expect("a process may signal itself");
            sleep(Duration::from_secs(30));
            unreachable!("signal {number} did not kill")
        }
    }
}

/// Says that it is there, then dies.
#[loky::task]
pub fn arrive_and_die(gate: Gate, death: Death) -> u32 {
    gate.arrive(&std::process::id().to_string());
    die(death)
}

/// Panics with this message.
#[loky::task]
pub fn panic_with(message: &str) -> u32 {
    panic!("{message}")
}

/// Takes a thorn as its argument.
#[loky::task]
pub fn take_thorn(_thorn: Thorn) -> u32 {
    std::process::id()
}

/// Gives a thorn as its result.
#[loky::task]
pub fn give_thorn(moment: Moment, fault: Fault) -> Thorn {
    Thorn::new(moment, fault)
}

/// The attempt in which this call runs.
#[loky::task]
pub fn attempt() -> u32 {
    loky::worker().expect("a task runs in a worker").attempt
}

/// Dies in every attempt before the one given; arrives at the gate in each.
#[loky::task]
pub fn survive_from(attempt: u32, gate: Gate) -> u32 {
    let now = loky::worker().expect("a task runs in a worker").attempt;
    gate.arrive(&now.to_string());
    if now < attempt {
        std::process::abort();
    }
    now
}

/// Kills another process.
#[loky::task]
pub fn kill_process(victim: u32) {
    // The victim may have died already; that is what the case wanted.
    let _ = kill(Pid::from_raw(victim as i32), Signal::SIGKILL);
}

/// Starts commands through a shell, says so, and stays.
#[loky::task]
pub fn start_children(gate: Gate, script: &str) {
    let status = Command::new("sh").args(["-c", script]).status().expect("a shell can be started");
    assert!(status.success(), "{script} failed");
    gate.arrive("started");
    gate.pass();
}

/// An environment variable as the worker sees it.
#[loky::task]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Bytes that are encoded as one piece, and so in no time even where nothing is optimized.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob of {} bytes", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Whole)
    }
}

/// Gives back what it takes.
#[loky::task]
pub fn echo(blob: Blob) -> Blob {
    blob
}

/// As many bytes as asked for.
#[loky::task]
pub fn bytes(count: usize) -> Blob {
    Blob(vec![7; count])
}

#[expect(unconditional_recursion, reason = "the stack must overflow")]
fn dig(depth: u64) -> u64 {
    let mut room = [depth; 512];
    black_box(&mut room);
    dig(black_box(depth + 1)) + room[511]
}
