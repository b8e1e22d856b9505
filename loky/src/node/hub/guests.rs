//! Whoever has connected, and has not shown yet that it may be an agent.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{Connection, ServerConfig};

use crate::node::lease::Moment;
use crate::node::link::{Link, Stays};
use crate::node::message::{Hello, Word, greeted, short};
use crate::node::pieces::{Lane, Outgoing, STRANGER};
use crate::node::tls;
use crate::sys::clock;
use crate::sys::poll::{Interest, Poller};

/// See the module. In the order in which they have come.
#[derive(Debug, Default)]
pub(super) struct Guests(BTreeMap<u64, Guest>);

#[derive(Debug)]
struct Guest {
    link: Link,
    until: Moment,
}

/// What has come of a guest's words.
#[derive(Debug)]
pub(super) enum Visit {
    GoesOn,
    /// It has gone, or has said what nobody says who has the secret.
    Over,
    Hello(Result<Hello, String>),
}

/// How many there may be at once; if one more comes, the first one must go.
const GUESTS_MAX: usize = 512;

/// How long one may take to say hello.
const VISIT_MAX: Duration = Duration::from_secs(10);

impl Guests {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn enter(
        &mut self,
        token: u64,
        socket: TcpStream,
        config: &Arc<ServerConfig>,
        poller: &Poller,
    ) -> io::Result<()> {
        if self.0.len() >= GUESTS_MAX {
            self.0.pop_first();
        }
        let link = Link::new(socket, Connection::from(tls::accept(config)?))?;
        poller.add(&link, token, Interest::Read)?;
        self.0.insert(token, Guest { link, until: clock::since_boot() + VISIT_MAX });
        Ok(())
    }

    /// Takes in what a guest has said.
    pub(super) fn hear(&mut self, token: u64, buffer: &mut Vec<u8>) -> Visit {
        let Some(guest) = self.0.get_mut(&token) else { return Visit::GoesOn };
        let mut hello = None;
        let read = guest.link.read(STRANGER, buffer, |lane, bytes| {
            // Nothing comes behind it until it is welcome.
            hello = (lane == Lane::Urgent).then(|| greeted(&bytes));
            false
        });
        // The handshake is a few short messages, for which there is room; one that fails is told why.
        let written = guest.link.write(|_| {});
        match (read, written, hello) {
            (Ok(_), Ok(_), Some(hello)) if guest.link.is_proven() => Visit::Hello(hello),
            (Ok(Stays::Open), Ok(_), None) => Visit::GoesOn,
            _ => Visit::Over,
        }
    }

    /// It has become an agent.
    pub(super) fn take(&mut self, token: u64) -> Option<Link> {
        self.0.remove(&token).map(|guest| guest.link)
    }

    /// It is told why it cannot be one.
    pub(super) fn refuse(&mut self, token: u64, why: String) {
        let Some(mut guest) = self.0.remove(&token) else { return };
        let mut outgoing = Outgoing::default();
        outgoing.push(Lane::Urgent, short(&Word::Refused(why)));
        // If that cannot be written at once, it ends without a word.
        let _ = guest.link.write(|to| outgoing.fill(to));
    }

    pub(super) fn leave(&mut self, token: u64) {
        self.0.remove(&token);
    }

    pub(super) fn keep_time(&mut self, now: Moment) {
        self.0.retain(|_, guest| guest.until > now);
    }
}
