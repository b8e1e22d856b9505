//! A client of HTTP that knows as much of it as this service says: one connection, kept for many requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// One connection.
pub(crate) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the service listens");
        // Each request is one write, and waits for its answer.
        stream.set_nodelay(true).expect("a socket has that option");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has that option");
        Self(BufReader::new(stream))
    }

    /// Sends an image where images are sent.
    pub(crate) fn post(&mut self, image: &[u8]) -> Response {
        self.request("POST", "/", image)
    }

    pub(crate) fn request(&mut self, method: &str, path: &str, body: &[u8]) -> Response {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all(&[head.as_bytes(), body].concat()).expect("the service takes it");
        self.response()
    }

    fn response(&mut self) -> Response {
        let status = self.line();
        let status =
            status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{status:?}"));
        let mut len = None;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                len = Some(text.trim().parse().expect("a length is a number"));
            }
        }
        let mut body = vec![0; len.expect("a response of this service says how long it is")];
        self.0.read_exact(&mut body).expect("all of it comes");
        Response { status, body: serde_json::from_slice(&body).expect("the service speaks JSON") }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the service answers");
        assert!(line.ends_with("\r\n"), "a line ends: {line:?}");
        line.trim_end().to_owned()
    }
}
