//! Each kind of thing that has a descriptor, there and back: what the other process gets works as it did here.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use loky::prelude::*;
use loky::{ErrorKind, Fd};
use loky_tests::{Case, cases, fails, pool_of, scratch, sys};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::pipe;

pub(crate) const CASES: &[Case] = cases![
    ser_24_streams,
    ser_24_listeners,
    ser_24_datagrams,
    ser_24_pipes,
    ser_24_processes,
    ser_24_results_of_every_kind,
    ser_24_items_of_par_map,
    ser_24_one_that_is_closed_is_an_error,
];

#[loky::task]
fn answer_tcp(stream: Fd) -> Fd {
    let mut stream = TcpStream::from(stream);
    let mut word = [0; 4];
    stream.read_exact(&mut word).expect("a word");
    stream.write_all(&word.map(|byte| byte.to_ascii_uppercase())).expect("and back");
    stream.into()
}

#[loky::task]
fn answer_unix(stream: Fd) -> Fd {
    let mut stream = UnixStream::from(stream);
    let mut word = [0; 4];
    stream.read_exact(&mut word).expect("a word");
    stream.write_all(&word.map(|byte| byte.to_ascii_uppercase())).expect("and back");
    stream.into()
}

fn asked(stream: &mut (impl Read + Write), answer: impl FnOnce() -> Fd) -> Fd {
    stream.write_all(b"word").expect("written");
    let (back, mut word) = (answer(), [0; 4]);
    stream.read_exact(&mut word).expect("answered");
    assert_eq!(&word, b"WORD");
    back
}

fn ser_24_streams() {
    let pool = pool_of(1);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let theirs = Fd::from(listener.accept().expect("it was").0);
    let theirs = asked(&mut ours, || answer_tcp.bind(theirs).on(&pool).run().expect("there and back"));
    asked(&mut ours, || answer_tcp.bind(theirs).on(&pool).run().expect("once more"));
    let (mut ours, theirs) = UnixStream::pair().expect("two ends");
    let theirs = asked(&mut ours, || answer_unix.bind(theirs.into()).on(&pool).run().expect("there and back"));
    drop(asked(&mut ours, || answer_unix.bind(theirs).on(&pool).run().expect("once more")));
    assert_eq!(ours.read(&mut [0]).expect("the end"), 0, "all duplicates are closed");
    pool.shutdown();
}

#[loky::task]
fn accept(tcp: Fd, unix: Fd) -> (Fd, Fd) {
    let tcp = TcpListener::from(tcp).accept().expect("somebody comes").0;
    let unix = UnixListener::from(unix).accept().expect("somebody comes").0;
    (tcp.into(), unix.into())
}

fn ser_24_listeners() {
    let (pool, path) = (pool_of(1), scratch().join("socket"));
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let unix = UnixListener::bind(&path).expect("a name");
    let address = tcp.local_addr().expect("an address");
    let call = accept.bind(tcp.into(), unix.into()).on(&pool).spawn();
    let mut tcp = TcpStream::connect(address).expect("it listens there");
    let mut unix = UnixStream::connect(&path).expect("it listens there");
    let (accepted_tcp, accepted_unix) = call.join().expect("both were accepted");
    TcpStream::from(accepted_tcp).write_all(b"tcp").expect("connected");
    UnixStream::from(accepted_unix).write_all(b"unix").expect("connected");
    let (mut from_tcp, mut from_unix) = (String::new(), String::new());
    tcp.read_to_string(&mut from_tcp).expect("to the end");
    unix.read_to_string(&mut from_unix).expect("to the end");
    assert_eq!((from_tcp.as_str(), from_unix.as_str()), ("tcp", "unix"));
    pool.shutdown();
}

#[loky::task]
fn return_to_sender(udp: Fd, unix: Fd) {
    let (udp, unix, mut bytes) = (UdpSocket::from(udp), UnixDatagram::from(unix), [0; 16]);
    let (len, sender) = udp.recv_from(&mut bytes).expect("a datagram");
    udp.send_to(&bytes[..len], sender).expect("and back");
    let len = unix.recv(&mut bytes).expect("a datagram");
    unix.send(&bytes[..len]).expect("and back");
}

fn ser_24_datagrams() {
    let pool = pool_of(1);
    let theirs = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let ours = UdpSocket::bind("127.0.0.1:0").expect("a port");
    ours.send_to(b"over udp", theirs.local_addr().expect("an address")).expect("sent");
    let (pair, other) = UnixDatagram::pair().expect("two ends");
    pair.send(b"over unix").expect("sent");
    return_to_sender.bind(theirs.into(), other.into()).on(&pool).run().expect("done");
    let mut bytes = [0; 16];
    assert_eq!(ours.recv(&mut bytes).map(|len| bytes[..len].to_vec()).expect("back"), b"over udp");
    assert_eq!(pair.recv(&mut bytes).map(|len| bytes[..len].to_vec()).expect("back"), b"over unix");
    pool.shutdown();
}

#[loky::task]
fn copy(from: Fd, to: Fd) -> u64 {
    std::io::copy(&mut File::from(from), &mut File::from(to)).expect("both are open")
}

fn ser_24_pipes() {
    let pool = pool_of(1);
    let ((source, mut inlet), (mut outlet, drain)) = two_pipes();
    let call = copy.bind(source, drain).on(&pool).spawn();
    inlet.write_all(b"through a worker").expect("it reads");
    drop(inlet);
    let mut text = String::new();
    outlet.read_to_string(&mut text).expect("to the end: all duplicates are closed");
    assert_eq!((text.as_str(), call.join().expect("copied")), ("through a worker", 16));
    pool.shutdown();
}

/// Of the first one the end to read from travels, of the second one the end to write to.
fn two_pipes() -> ((Fd, File), (File, Fd)) {
    let ((source, inlet), (outlet, drain)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    ((source.into(), inlet.into()), (outlet.into(), drain.into()))
}

#[loky::task]
fn await_end(process: Fd, milliseconds: u16) -> bool {
    let mut ready = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll(&mut ready, PollTimeout::from(milliseconds)).expect("it is a descriptor of a process") > 0
}

fn ser_24_processes() {
    let pool = pool_of(1);
    let mut child = std::process::Command::new("sleep").arg("1000").spawn().expect("it starts");
    let process = || Fd::from(sys::pidfd_of(child.id()));
    assert!(!await_end.bind(process(), 1).on(&pool).run().expect("it looks"), "it lives");
    let call = await_end.bind(process(), 60_000).on(&pool).spawn();
    let last = process();
    child.kill().expect("it lives");
    assert!(call.join().expect("it waits"), "its end is seen there");
    child.wait().expect("it is ours");
    assert!(await_end.bind(last, 1).on(&pool).run().expect("it looks"));
    pool.shutdown();
}

#[loky::task]
fn made(kind: u8) -> Fd {
    match kind {
        0 => File::open("/dev/null").expect("it is there").into(),
        1 => TcpListener::bind("127.0.0.1:0").expect("a port").into(),
        2 => UdpSocket::bind("127.0.0.1:0").expect("a port").into(),
        3 => UnixStream::pair().expect("two ends").0.into(),
        4 => UnixDatagram::pair().expect("two ends").0.into(),
        5 => pipe().expect("a pipe").0.into(),
        _ => sys::pidfd_of(std::process::id()).into(),
    }
}

fn target(fd: &Fd) -> String {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("it is open");
    path.display().to_string()
}

fn ser_24_results_of_every_kind() {
    let pool = pool_of(2);
    let kinds = ["/dev/null", "socket:", "socket:", "socket:", "socket:", "pipe:", ""];
    for (kind, expected) in (0..).zip(kinds) {
        let fd = made.bind(kind).on(&pool).run().expect("it is made there");
        assert!(target(&fd).starts_with(expected), "{kind}: {}", target(&fd));
        let (one, other) = (target(&fd), target(&same.bind(fd).on(&pool).run().expect("there and back")));
        assert!(one == other, "{one} is not {other}");
    }
    let listener = TcpListener::from(made.bind(1).on(&pool).run().expect("a listener"));
    assert!(TcpStream::connect(listener.local_addr().expect("an address")).is_ok(), "it listens");
    pool.shutdown();
}

#[loky::task]
fn same(fd: Fd) -> Fd {
    fd
}

fn ser_24_items_of_par_map() {
    let pool = pool_of(2);
    let made: Vec<_> = (0..7_u8).cycle().take(70).par_map(made).on(&pool).chunk_size(9).unwrap_all();
    let before: Vec<_> = made.iter().map(target).collect();
    let back: Vec<_> = made.iter().par_map(same).on(&pool).chunk_size(4).unwrap_all();
    assert!(back.iter().map(target).eq(before), "each in its place");
    pool.shutdown();
}

fn ser_24_one_that_is_closed_is_an_error() {
    let pool = pool_of(1);
    let fd = Fd::from(File::open("/dev/null").expect("it is there"));
    sys::close(fd.as_raw_fd());
    // Encoded by reference: who owns it must not close it again, when its number may be another's.
    let error = fails([&fd].par_map(same).on(&pool).next().expect("an item"), ErrorKind::Encode);
    std::mem::forget(fd);
    assert!(error.to_string().contains("Bad file descriptor") && !error.may_have_run(), "{error}");
    let open = File::open("/dev/null").expect("it is there").into();
    same.bind(open).on(&pool).run().expect("the next one travels");
    pool.shutdown();
}
