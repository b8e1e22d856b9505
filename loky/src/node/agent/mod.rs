//! The other process: hosts the workers of one machine for a program elsewhere.
//!
//! It connects, says hello, and then does what it is told for as long as its lease runs. When the lease is over, or the link
//! is, everything that it has started is killed: by then somebody else may have been given its calls. Whoever is cut off may
//! come back, as a new agent; whose program has ended, ends too. Its code is always 0, unless it could not even begin: a
//! launcher takes the highest code of all processes for that of the program.

mod answers;
mod hosted;
mod session;

use std::io;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustls::Connection;

use self::session::{End, Session};
use super::lease::Moment;
use super::link::Link;
use super::tls;
use crate::boot::Invitation;
use crate::ids::CallId;
use crate::shared::segment;
use crate::sys::termination::Termination;
use crate::sys::{clock, entry, process};

/// How long to wait between two tries to reach the driver's side.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one try may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// How long an agent that was cut off tries to come back.
const RETURN_MAX: Duration = Duration::from_secs(300);

/// Is an agent until it is not needed any more.
pub(crate) fn serve(invitation: &Invitation) -> ! {
    match try_serve(invitation) {
        Ok(()) => process::exit_now(0),
        Err(why) => {
            eprintln!("loky: the agent on {} ends: {why}", crate::identity::host());
            process::exit_now(0)
        }
    }
}

fn try_serve(invitation: &Invitation) -> io::Result<()> {
    // Ctrl-C is the program's business, which tells it to its agents; and what workers leave behind is to be found.
    entry::set_up_signals()?;
    entry::set_up_family()?;
    entry::set_process_name("loky agent");
    let termination = Termination::take_over()?;
    crate::identity::set_ready();
    CallId::mint_apart();
    segment::mint_apart();
    let mut until = invitation.until.map(|limit| clock::since_boot() + limit);
    let mut invitation = invitation.clone();
    loop {
        let link = reach(&mut invitation, until, &termination)?;
        let mut session = Session::begin(link, invitation.node, &termination)?;
        let end = session.run(&termination);
        session.fence();
        match end? {
            End::Over => return Ok(()),
            End::Refused(why) => return Err(io::Error::other(format!("it was refused: {why}"))),
            _ if session.is_draining() => return Ok(()),
            End::NotWelcome(why) if is_over(until) => return Err(why),
            End::NotWelcome(_) => {
                thread::sleep(PAUSE);
                renew(&mut invitation);
            }
            End::CutOff => until = Some(clock::since_boot() + RETURN_MAX),
        }
    }
}

/// Connects to the first address that answers. An error if none has by then, or if there is nobody any more who could.
fn reach(invitation: &mut Invitation, until: Option<Moment>, termination: &Termination) -> io::Result<Link> {
    loop {
        let config = tls::client(&invitation.secret)?;
        let mut last = io::Error::other("it was not told where its program is");
        for address in &invitation.addresses {
            match TcpStream::connect_timeout(address, CONNECT_MAX) {
                Ok(socket) => return Link::new(socket, Connection::from(tls::connect(&config)?)),
                Err(why) => last = io::Error::new(why.kind(), format!("{address} cannot be reached: {why}")),
            }
        }
        if is_over(until) {
            return Err(last);
        }
        if termination.has_come() {
            return Err(io::Error::other("it was asked to end before it was needed"));
        }
        thread::sleep(PAUSE);
        renew(invitation);
    }
}

/// What did not lead to the driver may have been the invitation to an earlier run.
fn renew(invitation: &mut Invitation) {
    if let Ok(other) = invitation.again() {
        *invitation = other;
    }
}

/// Whether it is not worth another try.
fn is_over(until: Option<Moment>) -> bool {
    until.is_some_and(|until| clock::since_boot() + PAUSE > until)
}
