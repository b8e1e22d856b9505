//! Descriptors as arguments and results.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use loky::prelude::*;
use loky::{ErrorKind, Fd, Shared};
use loky_tests::{Case, Gate, cases, eventually, fails, pool_of, procfs, scratch};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) const CASES: &[Case] = cases![
    ser_23_sockets_echo,
    ser_23_files_share_their_position,
    ser_23_results_bring_descriptors,
    ser_23_inside_of_structures_and_beside_shared_arrays,
    ser_23_items_of_par_map,
    ser_23_each_is_decoded_once,
    ser_23_another_attempt_has_it_again,
    ser_23_nothing_is_left_open,
];

#[loky::task]
fn echo(socket: Fd) -> Vec<u8> {
    let (mut socket, mut bytes) = (UnixStream::from(socket), [0; 2]);
    socket.read_exact(&mut bytes).expect("two bytes");
    socket.write_all(&bytes).expect("and back");
    bytes.to_vec()
}

#[loky::task]
fn greet(socket: Fd) {
    TcpStream::from(socket).write_all(b"hello").expect("it is connected");
}

#[loky::task]
fn write(file: Fd, text: String) {
    File::from(file).write_all(text.as_bytes()).expect("it is open for writing");
}

fn ser_23_sockets_echo() {
    let pool = pool_of(1);
    for _ in 0..3 {
        let (mut ours, theirs) = UnixStream::pair().expect("two ends");
        let call = echo.bind(theirs.into()).on(&pool).spawn();
        ours.write_all(b"ab").expect("written");
        let mut back = [0; 2];
        ours.read_exact(&mut back).expect("echoed");
        assert_eq!((call.join().expect("done"), &back), (b"ab".to_vec(), b"ab"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    greet.bind(stream.into()).on(&pool).run().expect("done");
    let mut text = String::new();
    listener.accept().expect("it was").0.read_to_string(&mut text).expect("to the end: all duplicates are closed");
    assert_eq!(text, "hello");
    pool.shutdown();
}

fn ser_23_files_share_their_position() {
    let (pool, path) = (pool_of(1), scratch().join("file"));
    let mut file = File::options().read(true).write(true).create_new(true).open(path).expect("a file");
    for word in ["one ", "two "] {
        let copy = file.try_clone().expect("a duplicate");
        write.bind(copy.into(), word.to_string()).on(&pool).run().expect("written");
    }
    assert_eq!(file.stream_position().expect("a position"), 8);
    file.rewind().expect("back");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("read");
    assert_eq!(text, "one two ");
    pool.shutdown();
}

#[loky::task]
fn open(path: String) -> Result<Fd, String> {
    File::open(path).map(Fd::from).map_err(|why| why.to_string())
}

#[loky::task]
fn same(fd: Fd) -> Fd {
    fd
}

fn ser_23_results_bring_descriptors() {
    let (pool, path) = (pool_of(1), scratch().join("file"));
    std::fs::write(&path, "there").expect("a file");
    let fd = open.bind(path.display().to_string()).on(&pool).run().expect("it ran").expect("it is there");
    let fd = same.bind(fd).on(&pool).run().expect("there and back");
    let mut text = String::new();
    File::from(fd).read_to_string(&mut text).expect("it can be read");
    assert_eq!(text, "there");
    assert!(open.bind("/no/such/file".to_string()).on(&pool).run().expect("it ran").is_err());
    pool.shutdown();
}

#[derive(Serialize, Deserialize)]
struct Bundle {
    name: String,
    fds: Vec<Fd>,
    numbers: Option<Shared<u32>>,
}

#[loky::task]
fn turned_around(bundle: Bundle) -> Bundle {
    let numbers = bundle.numbers.map(|numbers| Shared::from_vec(numbers.iter().rev().copied().collect()));
    Bundle { name: bundle.name, fds: bundle.fds.into_iter().rev().collect(), numbers }
}

fn inode(fd: &impl AsFd) -> u64 {
    nix::sys::stat::fstat(fd).expect("an open file").st_ino
}

fn ser_23_inside_of_structures_and_beside_shared_arrays() {
    let pool = pool_of(1);
    let ends: Vec<OwnedFd> = (0..3).map(|_| UnixStream::pair().expect("two ends").0.into()).collect();
    let mut inodes: Vec<_> = ends.iter().map(inode).collect();
    let fds = ends.into_iter().map(Fd::from).collect();
    let bundle = Bundle { name: "ends".to_string(), fds, numbers: Some(Shared::from_vec(vec![1, 2, 3])) };
    let back = turned_around.bind(bundle).on(&pool).run().expect("there and back");
    inodes.reverse();
    assert_eq!(back.fds.iter().map(inode).collect::<Vec<_>>(), inodes);
    assert_eq!((back.name.as_str(), &back.numbers.expect("they came along")[..]), ("ends", &[3, 2, 1][..]));
    pool.shutdown();
}

fn ser_23_items_of_par_map() {
    let pool = pool_of(2);
    let ends: Vec<_> = (0..40).map(|_| UnixStream::pair().expect("two ends")).collect();
    let items = ends.iter().map(|(ours, _)| Fd::from(ours.try_clone().expect("a duplicate")));
    let back = items.par_map(same).on(&pool).chunk_size(7).unwrap_all();
    assert!(back.iter().map(inode).eq(ends.iter().map(|(ours, _)| inode(ours))), "each in its place");
    pool.shutdown();
}

fn ser_23_each_is_decoded_once() {
    let (pool, file) = (pool_of(1), Fd::from(File::open("/dev/null").expect("it is there")));
    let lent = &file;
    let by_reference = loky::closure!(|item: u64| (lent.as_fd().try_clone_to_owned().is_ok(), item));
    let all = (0..10_u64).par_map(by_reference).on(&pool).chunk_size(5).unwrap_all();
    assert!(all.into_iter().eq((0..10).map(|item| (true, item))), "decoded once for each chunk");
    let by_value = loky::closure!(|item: u64| (file.as_fd().try_clone_to_owned().is_ok(), item));
    let all: Vec<_> = (0..2_u64).par_map(by_value).on(&pool).chunk_size(2).collect();
    assert_eq!(*all[0].as_ref().expect("the first one has it"), (true, 0));
    let error = fails(all.into_iter().nth(1).expect("two items"), ErrorKind::Decode);
    assert!(error.to_string().contains("capture a reference"), "{error}");
    pool.shutdown();
}

#[loky::task]
fn die_once(gate: Gate, fd: Fd) -> bool {
    gate.arrive("here");
    if gate.arrivals().len() == 1 {
        std::process::abort();
    }
    File::from(fd).write_all(b"x").is_ok()
}

fn ser_23_another_attempt_has_it_again() {
    let (pool, gate, (mut ours, theirs)) = (pool_of(1), Gate::new("gate"), UnixStream::pair().expect("two ends"));
    assert!(die_once.bind(gate, theirs.into()).on(&pool).retries(1).run().expect("the second attempt"));
    let mut text = String::new();
    ours.read_to_string(&mut text).expect("to the end: all duplicates are closed");
    assert_eq!(text, "x");
    pool.shutdown();
}

#[derive(Serialize)]
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("not today"))
    }
}

#[loky::task]
fn never_run(_first: Unreadable, _fd: Fd) {}

fn ser_23_nothing_is_left_open() {
    let pool = pool_of(1);
    loky_tests::tasks::square.bind(1).on(&pool).run().expect("a worker");
    let worker = procfs::workers()[0];
    let (here, there) = (procfs::descriptors().len(), procfs::descriptors_of(worker).len());
    for _ in 0..300 {
        let (_, end) = UnixStream::pair().expect("two ends");
        drop(same.bind(end.into()).on(&pool).run().expect("there and back"));
    }
    let (mut ours, theirs) = UnixStream::pair().expect("two ends");
    fails(never_run.bind(Unreadable, theirs.into()).on(&pool).run(), ErrorKind::Decode);
    assert_eq!(ours.read(&mut [0]).expect("to the end"), 0, "what nobody has decoded is closed, too");
    drop(ours);
    eventually("each duplicate is closed", || {
        (procfs::descriptors().len(), procfs::descriptors_of(worker).len()) == (here, there)
    });
    pool.shutdown();
}
