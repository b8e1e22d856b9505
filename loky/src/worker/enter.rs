//! From the start of the process to the hello: is it a worker?

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::growth::Growth;
use super::zygote::Copied;
use super::{confine, guard, notes, serve, watch, zygote};
use crate::env;
use crate::identity::{self, Identity};
use crate::sys::own_pid::own_pid;
use crate::sys::page::Page;
use crate::sys::process::ProcessFd;
use crate::sys::{affinity, entry, held_back, process, socket};
use crate::task;
use crate::transport::worker_link::{self, Listener, Speaker};
use crate::wire::message::{Build, Hello, NOT_A_WORKER, Welcome};

/// In a worker this never returns; anywhere else tasks may be spawned from now on. Again it does nothing.
pub(crate) fn catch() {
    if let Err(why) = task::registry() {
        panic!("{why}");
    }
    if identity::is_ready() {
        return;
    }
    if env::worker_mark().is_some() {
        enter();
    }
    identity::set_ready();
}

pub(super) fn enter() -> ! {
    match become_worker() {
        Ok((listener, speaker, page, growth)) => {
            identity::set_ready();
            serve::serve(listener, speaker, &page, growth)
        }
        Err(why) => {
            eprintln!(
                "loky: this process was started as a worker (the variable {} is set), but cannot be one: {why}; \
                 if you have set the variable yourself, unset it",
                env::WORKER
            );
            std::process::exit(NOT_A_WORKER)
        }
    }
}

fn take_link() -> io::Result<UnixStream> {
    let link = entry::take_link()?;
    entry::remove_variable(env::WORKER);
    Ok(link)
}

fn become_worker() -> io::Result<(Listener, Speaker, Page, Growth)> {
    let copied = if env::is_zygote() { Some(zygote::serve()?) } else { None };
    let is_copy = copied.is_some();
    let (socket, parent) = match copied {
        Some(Copied { link, parent }) => (Arc::new(link), parent),
        None => (Arc::new(take_link()?), None),
    };
    // If the parent is gone, nothing is wrong with this process: it is just not needed any more.
    let Some((words, [page, bell])) = socket::receive_first(&socket)? else { process::exit_now(0) };
    let welcome = Welcome::decode(&words).map_err(|why| io::Error::other(why.to_string()))?;
    if process::parent_pid() != welcome.parent {
        // The parent has died between the launch and this line, and its socket may live on in a forked child.
        process::exit_now(0);
    }
    if let Err(why) = affinity::restrict(&welcome.cpus) {
        eprintln!("loky: worker {} cannot run where the pool's `cpu_affinity` says: {why}", welcome.index);
        process::exit_now(NOT_A_WORKER);
    }
    let build = task::build().map_err(|why| io::Error::other(why.to_string()))?;
    build.check(welcome.build).map_err(|why| io::Error::other(format!("what has started it {why}")))?;
    let page = Page::map(page)?;
    let (mut listener, mut speaker) = worker_link::ends(&socket, bell.into(), &page);
    set_up_signals(is_copy, welcome.is_hosted)?;
    entry::set_up_family()?;
    let is_confined = !welcome.confinement.is_none();
    let for_notes = Arc::clone(&socket);
    let mut watch = Some(|| watch::start(socket, parent.or_else(|| ProcessFd::open(welcome.parent).ok())));
    if let Some(watch) = watch.take_if(|_| !is_confined) {
        // Whatever can fail comes before the hello: whoever has said it is believed to serve. The first call travels
        // while the rest is made ready, which takes longer.
        watch()?;
        say_hello(&mut speaker, build)?;
    }
    if !is_copy {
        // The zygote has done so for its copies.
        entry::close_inherited();
        held_back::find();
    }
    confine::this_thread(&welcome.confinement);
    if let Some(watch) = watch {
        // Bound as all threads are.
        watch()?;
    }
    if welcome.may_spin {
        listener.allow_spinning();
    }
    guard::install();
    entry::set_process_name(&format!("loky {}", welcome.index));
    identity::become_worker(Identity {
        pid: own_pid(),
        index: welcome.index,
        pool: welcome.pool,
        depth: welcome.depth,
        share: welcome.share,
        threads: welcome.threads,
        threads_said: welcome.threads_said,
        page: page.clone(),
    });
    notes::begin(&page, for_notes);
    confine::this_process(&welcome.confinement);
    if is_confined {
        // Now, since nothing can fail any more: a worker that has said hello is all that it was asked to be.
        say_hello(&mut speaker, build)?;
    }
    Ok((listener, speaker, page, Growth::new(welcome.memory_growth_max)))
}

fn set_up_signals(is_copy: bool, is_hosted: bool) -> io::Result<()> {
    if !is_copy {
        entry::set_up_signals()?;
    }
    if is_hosted {
        entry::spare_from_termination()?;
    }
    Ok(())
}

fn say_hello(speaker: &mut Speaker, build: Build) -> io::Result<()> {
    let (head, bytes) = Hello { build, pid: std::process::id() }.said();
    speaker.add(head, &bytes, &[])?;
    speaker.flush();
    Ok(())
}
