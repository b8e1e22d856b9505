//! `no_network`: no socket is made that could reach anybody.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};

use loky::prelude::*;
use loky::{Pool, PoolBuilder};
use loky_tests::tasks::add;
use loky_tests::{Case, cases, scratch};
use nix::libc::{self, EPERM};

use crate::attempt::{DONE, both_kinds, ends_inside, works_outside};
use crate::kernel::lacks_landlock;

pub(crate) const CASES: &[Case] = cases![
    network_01_nobody_is_reached,
    network_02_no_other_kind_of_socket,
    network_03_pools_within_tasks_work,
    network_04_no_call_goes_around_it,
    network_05_another_pool_is_not_kept_from_it,
];

fn without_network() -> PoolBuilder {
    Pool::builder().no_network(true)
}

fn network_01_nobody_is_reached() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let (stream, datagram) = (scratch().join("stream"), scratch().join("datagram"));
    let _unix = (UnixListener::bind(&stream).expect("a socket"), UnixDatagram::bind(&datagram).expect("a socket"));
    let attempts = [
        format!("tcp {}", tcp.local_addr().expect("it has one")),
        format!("udp {}", udp.local_addr().expect("it has one")),
        format!("unix {}", stream.display()),
        format!("datagram {}", datagram.display()),
        "listen 127.0.0.1:0".to_owned(),
        "abstract loky-tests".to_owned(),
    ];
    attempts.iter().for_each(|what| works_outside(what));
    tcp.set_nonblocking(true).expect("it can be");
    assert!(tcp.accept().is_ok(), "the attempt of this process has come");
    for pool in both_kinds(&without_network()) {
        attempts.iter().for_each(|what| ends_inside(&pool, what, EPERM));
    }
    assert!(tcp.accept().is_err(), "and no other");
}

fn network_02_no_other_kind_of_socket() {
    let kinds = ["kind raw", "kind packet", "kind netlink", "kind raw-pair"];
    let is_root = nix::unistd::geteuid().is_root();
    // The first two need privileges anywhere.
    kinds.into_iter().skip(if is_root { 0 } else { 2 }).for_each(works_outside);
    for pool in both_kinds(&without_network()) {
        kinds.into_iter().for_each(|what| ends_inside(&pool, what, EPERM));
        ends_inside(&pool, "pair x", DONE);
    }
}

#[loky::task]
fn add_below(a: i64, b: i64) -> i64 {
    let pool = Pool::builder().workers(1).build().expect("a pool");
    add.bind(a, b).on(&pool).run().expect("a worker of a worker")
}

fn network_03_pools_within_tasks_work() {
    for pool in both_kinds(&without_network().read_only_file_system(!lacks_landlock()).no_core_dumps(true)) {
        assert_eq!(add_below.bind(1, 2).on(&pool).run().expect("a call"), 3);
    }
}

/// The same calls as a 64-bit program with short pointers would make them.
const SHORT_POINTERS: i64 = 1 << 30;

fn network_04_no_call_goes_around_it() {
    let calls = [
        libc::SYS_connect,
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_socket | SHORT_POINTERS),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_socketpair | SHORT_POINTERS),
    ];
    let calls = calls.map(|number| format!("call {number}"));
    calls.iter().for_each(|what| works_outside(what));
    for pool in both_kinds(&without_network()) {
        calls.iter().for_each(|what| ends_inside(&pool, what, EPERM));
    }
}

fn network_05_another_pool_is_not_kept_from_it() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let what = format!("tcp {}", tcp.local_addr().expect("it has one"));
    for builder in [Pool::builder(), Pool::builder().no_network(false), Pool::builder().no_new_privileges(true)] {
        ends_inside(&builder.workers(1).build().expect("a pool"), &what, DONE);
    }
}
