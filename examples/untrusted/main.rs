//! A service that decodes images from strangers, each in a worker process: one that kills the decoder, hangs it, or
//! makes it fill the memory costs its sender an error, and nobody else anything.
//!
//! `cargo run --release --example untrusted -- --help` lists the options. Read on in this order: [`decoders`] below
//! is the pool, `decode` the task, `service` the few lines that connect it to HTTP, `answer` what each failure
//! becomes, and `rle`, with `rle.c`, a decoder as one would rather not have it.

mod answer;
mod args;
mod decode;
mod rle;
mod service;

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use loky::Pool;
use loky::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::Options;
use crate::service::Service;

/// What one image may cost, in memory of the worker's own.
const MEMORY_MAX: u64 = 48 << 20;

loky::main! {
    fn main() -> ExitCode {
        let done = match args::parse(std::env::args_os().skip(1)) {
            Ok(Some(options)) => serve(&options),
            Ok(None) => write!(io::stdout(), "{}", args::HELP).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("untrusted: {why}");
                ExitCode::FAILURE
            }
        }
    }
}

fn serve(options: &Options) -> Result<(), String> {
    let pool = decoders(options).map_err(|why| why.to_string())?;
    // What this machine cannot give is found out now, and not by the first client.
    decode::summarize.bind(b"").on(&pool).run().map(drop).map_err(|why| why.to_string())?;
    let ending = ending().map_err(|why| why.to_string())?;
    let service = Service::start(&options.address, &pool, options.workers * 2)?;
    writeln!(io::stdout(), "listening on http://{}", service.address).map_err(|why| why.to_string())?;
    // Nobody is left to say so if the channel closes, which is a reason to end as well.
    let why = ending.recv().unwrap_or("nobody waits any more");
    let served = service.end();
    pool.shutdown();
    writeln!(io::stdout(), "{why}: answered {served} requests").map_err(|why| why.to_string())
}

/// Where images are decoded. Each line says what an image cannot do to this machine.
fn decoders(options: &Options) -> Result<Pool, loky::Error> {
    let sandbox = options.has_sandbox;
    Pool::builder()
        .name("decoders")
        .workers(options.workers)
        // So that nobody waits for a process to start because of somebody else's image.
        .spares(options.workers)
        .timeout(options.timeout)
        .memory_limit(MEMORY_MAX)
        // A wall behind that limit, which nobody runs through before it is noticed.
        .address_space_limit(2 << 30)
        // An image that has killed a worker would kill the next one.
        .retries(0)
        .no_new_privileges(true)
        .no_core_dumps(true)
        .open_files_limit(32)
        .no_network(sandbox)
        .read_only_file_system(sandbox)
        .build()
}

/// Tells why to end, when it is time.
fn ending() -> io::Result<mpsc::Receiver<&'static str>> {
    let (sender, ending) = mpsc::channel();
    let by_signal = sender.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    // Whoever speaks second is not heard.
    thread::spawn(move || {
        signals.forever().next();
        let _ = by_signal.send("a signal has come");
    });
    thread::spawn(move || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = sender.send("the standard input has ended");
    });
    Ok(ending)
}
