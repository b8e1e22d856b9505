//! The example `service`: an answer, or a status, for each way to fail; and an end by Ctrl-C.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use loky_tests::{Case, cases};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::program;

pub(crate) const CASES: &[Case] = cases![example_service: 600];

fn example_service() {
    let mut child = program("service").arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it says where it listens");
    let (_, address) = line.trim().rsplit_once('/').expect("an address");

    let text = "this is is a text with with doubles";
    assert_eq!(post(address, r"%5Cb(%5Cw%2B)%20%5C1%5Cb", text), (200, "[[5,10],[18,27]]".into()));
    let (status, why) = post(address, "(", text);
    assert!(status == 400 && !why.is_empty(), "{status} {why}");
    // Each `a` may be taken by either side, and there are 40 of them.
    let (status, why) = post(address, r"%5E(a%7Caa)%2B%5C1b%24", &"a".repeat(60));
    assert!(status == 504 && why.contains("service::find"), "{status} {why}");
    assert_eq!(post(address, "text", text), (200, "[[13,17]]".into()), "everybody else is served");

    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it is ours");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("text");
    assert!(child.wait().expect("it is ours").success());
    assert_eq!(rest, "4 requests answered\n");
}

/// The status and the text of the answer.
fn post(address: &str, pattern: &str, text: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    let head = format!("POST /find?pattern={pattern} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    let request = format!("{head}Content-Length: {}\r\n\r\n{text}", text.len());
    stream.write_all(request.as_bytes()).expect("the service takes it");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"));
    (status, answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned())
}
