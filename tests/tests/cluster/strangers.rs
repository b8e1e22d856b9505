//! Who does not come in, and that nobody inside is the worse for it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use loky::prelude::*;
use loky_tests::tasks::{add, variable};
use loky_tests::{Case, Gate, Program, cases, ms, procfs, programs, stays};

use crate::site::{Site, await_agents};

pub(crate) const CASES: &[Case] = cases![
    cluster_40_another_secret_does_not_come_in,
    cluster_41_plain_bytes_and_silence_are_refused,
    cluster_42_another_build_is_refused_by_name,
    cluster_43_nobody_inherits_the_secret,
    cluster_44_what_cannot_begin_says_why,
];

pub(crate) const PROGRAMS: &[Program] = programs![works_on, keeps_its_secret];

/// Works until the case says that it has done its worst.
fn works_on() {
    await_agents(1);
    let over = Gate::of_the_case("over");
    Gate::of_the_case("ready").arrive("ready");
    while over.arrivals().is_empty() {
        assert_eq!(add.run(1, 2).expect("nobody is in its way"), 3);
    }
    assert_eq!(loky::pool().workers(), 1);
}

/// A program with one agent, while `worst` is done to it.
fn meanwhile(worst: impl FnOnce(&mut Site)) {
    let (ready, over) = (Gate::new("ready"), Gate::new("over"));
    let mut site = Site::new(1);
    let mut program = site.program("works_on").spawn().expect("the program");
    ready.await_arrivals(1);
    worst(&mut site);
    over.arrive("over");
    assert!(program.wait().expect("it is a child").success());
    site.end();
}

fn cluster_40_another_secret_does_not_come_in() {
    meanwhile(|site| {
        let others = "ff".repeat(32);
        let mut agent = Command::new("/proc/self/exe");
        agent.env("LOKY_AGENT", &site.address).env("LOKY_CLUSTER_SECRET", others);
        let mut agent = agent.stdin(std::process::Stdio::null()).spawn().expect("an agent");
        stays("it tries again, and serves nobody", ms(2000), || {
            agent.try_wait().expect("it is a child").is_none() && procfs::children(agent.id()).is_empty()
        });
        agent.kill().and_then(|()| agent.wait()).expect("it lives");
    });
}

fn cluster_41_plain_bytes_and_silence_are_refused() {
    meanwhile(|site| {
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 4096], &[0x16, 3, 1, 0xff, 0xff]] {
            let mut plain = TcpStream::connect(&site.address).expect("anybody may connect");
            // It may be closed in the middle.
            let _ = plain.write_all(bytes);
            let _ = plain.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = plain.read_to_end(&mut answer);
            assert!(answer.len() < 100, "nobody is told much");
        }
        let began = Instant::now();
        let mut silent: Vec<_> = (0..20).map(|_| TcpStream::connect(&site.address).expect("anybody may")).collect();
        silent.iter_mut().for_each(|silent| _ = silent.read_to_end(&mut Vec::new()));
        assert!(began.elapsed() > ms(5_000) && began.elapsed() < ms(20_000), "after ten seconds nobody is listened to");
    });
}

fn cluster_42_another_build_is_refused_by_name() {
    meanwhile(|site| {
        let mut agent = Command::new(env!("CARGO_BIN_EXE_fallible"));
        agent.env("LOKY_AGENT", &site.address).env("LOKY_CLUSTER_SECRET", crate::site::SECRET);
        let output = agent.output().expect("an agent");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("it was refused: the agent on "), "{said}");
        assert!(said.contains("is another build of this program"), "{said}");
    });
}

fn cluster_43_nobody_inherits_the_secret() {
    Site::new(1).play("keeps_its_secret");
}

fn keeps_its_secret() {
    await_agents(1);
    assert_eq!(std::env::var("LOKY_CLUSTER").ok().filter(|wish| wish != "off"), None, "nobody else is to listen there");
    for name in ["LOKY_AGENT", "LOKY_CLUSTER_SECRET", "LOKY_CLUSTER_SECRET_FILE"] {
        assert!(std::env::var_os(name).is_none(), "{name} is left in the program");
        assert_eq!(variable.run(name).expect("it runs"), None, "{name} is left in a worker");
    }
    let inherited = Command::new("env").output().expect("a child");
    assert!(!String::from_utf8_lossy(&inherited.stdout).contains(crate::site::SECRET));
}

fn cluster_44_what_cannot_begin_says_why() {
    let begin = |variables: &[(&str, &str)]| {
        let mut program = loky_tests::program("keeps_its_secret");
        program.envs(variables.iter().copied());
        let output = program.output().expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let secret = ("LOKY_CLUSTER_SECRET", crate::site::SECRET);
    let open = loky_tests::scratch().join("secret");
    std::fs::write(&open, crate::site::SECRET).expect("a file");
    let open = open.to_str().expect("a plain path");
    for (variables, part) in [
        (&[("LOKY_CLUSTER", "on"), secret][..], "LOKY_CLUSTER is \"on\""),
        (&[("LOKY_CLUSTER", "listen:here"), secret], "\"here\" is no address with a port"),
        (&[("LOKY_CLUSTER", "listen:127.0.0.1:0")], "needs a secret: set LOKY_CLUSTER_SECRET"),
        (&[("LOKY_CLUSTER", "listen:127.0.0.1:0"), ("LOKY_CLUSTER_SECRET", "abc")], "no 64 hexadecimal digits"),
        (&[("LOKY_CLUSTER", "listen:127.0.0.1:0"), ("LOKY_CLUSTER_SECRET_FILE", open)], "chmod 600"),
        (&[("LOKY_CLUSTER", "listen:192.0.2.1:7"), secret], "it cannot listen at 192.0.2.1:7"),
    ] {
        let (code, said) = begin(variables);
        assert!(code == Some(1) && said.starts_with("loky: ") && said.contains(part), "{said}");
    }
}
