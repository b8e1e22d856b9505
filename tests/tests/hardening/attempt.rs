//! Attempts: things that a process can do or cannot, by name, so that one list of them serves a task, a thread of it,
//! and a program that it starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{self as unix, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use loky::prelude::*;
use loky::{Pool, PoolBuilder};
use loky_tests::tasks::{Death, die, pid};
use loky_tests::{Program, eventually, procfs, program, programs, sys};
use nix::mount::{MsFlags, mount, umount};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket, socketpair};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};

pub(crate) const PROGRAMS: &[Program] = programs![attempts];

/// It worked.
pub(crate) const DONE: i32 = 0;

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    Task,
    /// A thread that the task starts.
    Thread,
    /// A program that the task starts.
    Child,
    /// A program that a program starts that the task starts.
    Grandchild,
}

pub(crate) const ALL: [By; 4] = [By::Task, By::Thread, By::Child, By::Grandchild];

/// In a worker: the number of the error, or [`DONE`].
#[loky::task]
pub(crate) fn attempt(what: &str, by: By) -> i32 {
    match by {
        By::Task => number(what),
        By::Thread => thread::scope(|scope| scope.spawn(|| number(what)).join().expect("no panic")),
        By::Child => in_a_child(what),
        By::Grandchild => in_a_child(&format!("child {what}")),
    }
}

/// The same here, in a process that is kept from nothing.
#[track_caller]
pub(crate) fn works_outside(what: &str) {
    tried(what).unwrap_or_else(|why| panic!("{what}, outside: {why}"));
}

/// Whether it works here, which may depend on who runs the tests.
pub(crate) fn is_possible_outside(what: &str) -> bool {
    let is_possible = tried(what).is_ok();
    if !is_possible {
        println!("{what}: not possible to begin with, so not tested");
    }
    is_possible
}

/// How it ends for a task of this pool, its threads and its children.
#[track_caller]
pub(crate) fn ends_inside(pool: &Pool, what: &str, expected: i32) {
    for by in ALL {
        let seen = attempt.bind(what, by).on(pool).run().expect("the attempt is survived");
        assert_eq!(seen, expected, "{what}, by {by:?}: {}", io::Error::from_raw_os_error(seen));
    }
}

/// Pools of one worker each: one that was started, and one that was copied.
pub(crate) fn both_kinds(builder: &PoolBuilder) -> [Pool; 2] {
    let started = builder.clone().workers(1).build().expect("a pool");
    let copied = builder.clone().workers(1).zygote(true).build().expect("a pool");
    copied.warm_up();
    eventually("the zygote is there", || {
        procfs::children(std::process::id()).iter().any(|child| child.command_line().contains("[loky: zygote of "))
    });
    // The first worker of such a pool is none, its replacement is.
    die.bind(Death::ExitNow(1)).on(&copied).run().expect_err("it dies");
    let copy = pid.bind().on(&copied).run().expect("a replacement");
    assert!(procfs::environment(copy).iter().any(|(name, _)| name == "LOKY_ZYGOTE"), "the zygote has made it");
    [started, copied]
}

fn number(what: &str) -> i32 {
    match tried(what) {
        Ok(()) => DONE,
        Err(why) => why.raw_os_error().unwrap_or_else(|| panic!("{what}: {why}")),
    }
}

fn in_a_child(what: &str) -> i32 {
    let output = program("attempts").env(WHAT, what).output().expect("a program can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.trim().parse().unwrap_or_else(|_| panic!("{what}: the child said {said:?} and {output:?}"))
}

/// Tries what its environment says, and says how it went.
fn attempts() {
    let what = std::env::var(WHAT).expect("somebody says what");
    let seen = match what.strip_prefix("child ") {
        Some(rest) => in_a_child(rest),
        None => number(&what),
    };
    println!("{seen}");
}

const WHAT: &str = "LOKY_TESTS_ATTEMPT";

fn tried(what: &str) -> io::Result<()> {
    let words: Vec<_> = what.split(' ').collect();
    match words[..] {
        [verb, place] if network_verb(verb) => reach(verb, place),
        ["call", number] => sys::call_with_nonsense(number.parse().expect("a number"), -1),
        ["call", number, second] => {
            sys::call_with_nonsense(number.parse().expect("a number"), second.parse().expect("a number"))
        }
        [verb, path] => change(verb, path),
        [verb, from, to] => connect_names(verb, from, to),
        _ => panic!("nobody can try {what:?}"),
    }
}

fn network_verb(verb: &str) -> bool {
    ["tcp", "listen", "udp", "unix", "abstract", "datagram", "pair", "kind"].contains(&verb)
}

fn reach(verb: &str, place: &str) -> io::Result<()> {
    match verb {
        "tcp" => TcpStream::connect(place)?.write_all(b"hello"),
        "listen" => TcpListener::bind(place).map(drop),
        "udp" => UdpSocket::bind("127.0.0.1:0")?.send_to(b"hello", place).map(drop),
        "unix" => UnixStream::connect(place).map(drop),
        "abstract" => UnixListener::bind_addr(&SocketAddr::from_abstract_name(place)?).map(drop),
        "datagram" => datagram_of_a_pair(place),
        "pair" => UnixStream::pair().map(drop),
        _ => a_socket(place),
    }
}

/// A pair is connected, but one of datagrams can send to others as well.
fn datagram_of_a_pair(place: &str) -> io::Result<()> {
    UnixDatagram::pair()?.0.send_to(b"hello", place).map(drop)
}

fn a_socket(kind: &str) -> io::Result<()> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let icmp = Some(SockProtocol::Icmp);
    Ok(match kind {
        "raw" => socket(AddressFamily::Inet, SockType::Raw, flags, icmp).map(drop),
        "packet" => socket(AddressFamily::Packet, SockType::Datagram, flags, None).map(drop),
        "netlink" => socket(AddressFamily::Netlink, SockType::Raw, flags, None).map(drop),
        "raw-pair" => socketpair(AddressFamily::Unix, SockType::Raw, None, flags).map(drop),
        _ => panic!("no such socket: {kind}"),
    }?)
}

fn change(verb: &str, path: &str) -> io::Result<()> {
    match verb {
        "read" => fs::read(path).map(drop),
        "write" => OpenOptions::new().write(true).open(path)?.write_all(b"changed"),
        "open" => OpenOptions::new().write(true).open(path).map(drop),
        "append" => OpenOptions::new().append(true).open(path)?.write_all(b"more"),
        "create" => File::create_new(path).map(drop),
        "mkdir" => fs::create_dir(path),
        "mkfifo" => Ok(nix::unistd::mkfifo(path, Mode::S_IRWXU)?),
        "bind" => UnixListener::bind(path).map(drop),
        "remove" => fs::remove_file(path),
        "rmdir" => fs::remove_dir(path),
        "truncate" => Ok(nix::unistd::truncate(path, 1)?),
        "chmod" => fs::set_permissions(path, PermissionsExt::from_mode(0o640)),
        "fchmod" => File::open(path)?.set_permissions(PermissionsExt::from_mode(0o640)),
        "chown" => unix::chown(path, Some(nix::unistd::getuid().as_raw()), None),
        "mount" => {
            mount(None::<&str>, path, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
            Ok(umount(path)?)
        }
        "times" => File::open(path)?.set_modified(SystemTime::UNIX_EPOCH),
        "shell" => by_a_shell(path),
        _ => panic!("nobody can {verb}"),
    }
}

fn connect_names(verb: &str, from: &str, to: &str) -> io::Result<()> {
    match verb {
        "rename" => fs::rename(from, to),
        "link" => fs::hard_link(from, to),
        "symlink" => unix::symlink(from, to),
        _ => panic!("nobody can {verb}"),
    }
}

/// A program that knows nothing of this one writes to the path.
fn by_a_shell(path: &str) -> io::Result<()> {
    let status = Command::new("/bin/sh").args(["-c", "echo changed > \"$0\" 2> /dev/null", path]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::from_raw_os_error(nix::libc::EACCES)) }
}
