//! A process that makes workers of itself: it copies itself when it is asked, and the copy goes on as a worker would.
//!
//! It stays a process of one thread and runs no task. What all copies will need is done once, before the first of them.
//! It ends with its parent. Where copies would not be sound, it says so and ends at once.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::watch;
use crate::env;
use crate::supervisor::zygote::request::Request;
use crate::sys::births::Births;
use crate::sys::costume::{self, Title};
use crate::sys::duplicate::{Mold, Side};
use crate::sys::entry::{self, Before};
use crate::sys::own_pid::own_pid;
use crate::sys::process::{self, ProcessFd};
use crate::sys::{heirloom, held_back, poll, records, stdio};
use crate::task;

/// What a copy goes on with.
pub(super) struct Copied {
    pub(super) link: UnixStream,
    /// The parent of them all, if there are process descriptors.
    pub(super) parent: Option<ProcessFd>,
}

/// What the zygote has for its copies.
struct Workshop {
    socket: OwnedFd,
    parent: Option<ProcessFd>,
    births: Births,
    mold: Mold,
    title: Title,
    /// What a worker does with SIGTERM: it dies of that, as a rule, but the zygote does not.
    termination: Before,
}

/// What a copy was asked to be, and the descriptors that came along: its link, its two streams, its directory.
type Asked = (Request, [OwnedFd; 4]);

/// Says that no copy can be made, ever. What is greater is the number of a copy, what is less an error.
const UNFIT: i32 = 0;

/// Serves until the parent is gone. Returns in each copy.
pub(super) fn serve() -> io::Result<Copied> {
    let socket = OwnedFd::from(entry::take_link()?);
    entry::close_inherited();
    entry::remove_variable(env::WORKER);
    entry::remove_variable(env::ZYGOTE);
    entry::set_up_signals()?;
    entry::set_up_family()?;
    let termination = entry::spare_from_termination()?;
    entry::set_process_name("loky zygote");
    let (parent, births) = begin(&socket)?;
    // Without process descriptors, the socket alone must do.
    let watched = ProcessFd::open(parent).ok();
    if process::parent_pid() != parent {
        process::exit_now(0);
    }
    let Ok((mold, title)) = prepare() else {
        let _ = answer(&socket, UNFIT);
        process::exit_now(0)
    };
    let workshop = Workshop { socket, parent: watched, births, mold, title, termination };
    loop {
        if !poll::wait_for_more(workshop.socket.as_fd(), workshop.parent.as_ref().map(AsFd::as_fd)) {
            process::exit_now(0);
        }
        if let Some(asked) = workshop.serve_one() {
            let link = dress(&workshop, asked)?;
            return Ok(Copied { link, parent: workshop.parent });
        }
    }
}

/// The first message says who the parent is, and brings the page for births.
fn begin(socket: &OwnedFd) -> io::Result<(u32, Births)> {
    let (bytes, fds) = records::receive(socket, true)?;
    let page = fds.first().ok_or(io::ErrorKind::UnexpectedEof)?;
    let parent = <[u8; 4]>::try_from(&bytes[..]).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok((u32::from_le_bytes(parent), Births::map(page)?))
}

/// Does what each copy would have to do otherwise.
fn prepare() -> io::Result<(Mold, Title)> {
    // What it says of tasks that cannot be told apart, the copies will say, where it is heard.
    let _ = task::build();
    // What constructors have printed is printed once, not by each copy.
    let _ = io::stdout().flush();
    stdio::flush_c();
    held_back::find();
    // Where it is remembered; not what it is, which each copy forgets.
    let _ = own_pid();
    watch::rehearse()?;
    heirloom::bequeath()?;
    Ok((Mold::new()?, Title::find()?))
}

fn answer(socket: &OwnedFd, number: i32) -> io::Result<()> {
    records::send(socket, &number.to_le_bytes(), &[])
}

impl Workshop {
    /// Makes one copy, if one is asked for; says in it what it is to be. Ends this process if nobody asks any more.
    fn serve_one(&self) -> Option<Asked> {
        let Ok((bytes, fds)) = records::receive(&self.socket, true) else { process::exit_now(1) };
        let (Some(request), Ok(fds)) = (Request::decode(&bytes), fds.try_into()) else { process::exit_now(0) };
        let number = match self.mold.copy(&self.births) {
            Ok(Side::Copy) => return Some((request, fds)),
            Ok(Side::Original { copy }) => i32::try_from(copy).unwrap_or(UNFIT),
            Err(why) => why.raw_os_error().map_or(UNFIT, |number| -number),
        };
        if answer(&self.socket, number).is_err() {
            process::exit_now(0);
        }
        self.births.forget();
        None
    }
}

/// Makes of a fresh copy what a new process would be.
fn dress(workshop: &Workshop, (request, fds): Asked) -> io::Result<UnixStream> {
    let [link, output, error, directory] = fds;
    // First of all, so that errors are heard.
    costume::put_on_streams(output, error)?;
    entry::restore_termination(&workshop.termination)?;
    workshop.title.set(&request.title);
    // What marks a process that is to be caught is gone here, and must not come back: its own children are none.
    for (name, value) in request.environment.iter().filter(|(name, _)| name != env::WORKER && name != env::ZYGOTE) {
        entry::set_variable(name, value.as_deref())?;
    }
    costume::go(directory, request.current_dir.as_deref())?;
    Ok(link.into())
}
