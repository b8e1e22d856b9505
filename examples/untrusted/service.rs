//! The service: some threads that each read a request, have it decoded in a worker, and answer.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use loky::Pool;
use loky::prelude::*;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::answer::Answer;
use crate::decode::summarize;

/// Longer files are refused unread.
const LEN_MAX: usize = 16 << 20;

/// A running service. Ends by [`end`](Self::end).
pub(crate) struct Service {
    server: Arc<Server>,
    threads: Vec<JoinHandle<()>>,
    served: Arc<AtomicU64>,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// Listens at `address`, and has whatever is sent there decoded on `pool`; as many requests at once as there are
    /// threads.
    pub(crate) fn start(address: &str, pool: &Pool, threads: usize) -> Result<Self, String> {
        let server = Arc::new(Server::http(address).map_err(|why| format!("cannot listen at {address}: {why}"))?);
        let address = server.server_addr().to_ip().ok_or("not an address of the Internet")?;
        let served = Arc::new(AtomicU64::new(0));
        let serve = |_| {
            let (server, pool, served) = (Arc::clone(&server), pool.clone(), Arc::clone(&served));
            thread::spawn(move || {
                // An error is the end: somebody has unblocked this thread.
                while let Ok(request) = server.recv() {
                    respond(request, &pool);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let threads = (0..threads).map(serve).collect();
        Ok(Self { server, threads, served, address })
    }

    /// Answers what has been received, and nothing more. Returns how many requests have been answered.
    pub(crate) fn end(self) -> u64 {
        self.threads.iter().for_each(|_| self.server.unblock());
        for thread in self.threads {
            // One that has panicked has said so on standard error.
            let _ = thread.join();
        }
        self.served.load(Ordering::Relaxed)
    }
}

fn respond(mut request: Request, pool: &Pool) {
    let answer = answer_to(&mut request, pool);
    let json = Header::from_bytes("Content-Type", "application/json").expect("it is a header");
    let response = Response::from_string(answer.body.to_string()).with_status_code(answer.status).with_header(json);
    // Whoever has hung up meanwhile does not want it.
    let _ = request.respond(response);
}

fn answer_to(request: &mut Request, pool: &Pool) -> Answer {
    if request.url() != "/" {
        return Answer::refusal(404, "not_found", "images are sent to `/`");
    }
    if *request.method() != Method::Post {
        return Answer::refusal(405, "method", "images are sent by POST");
    }
    if request.body_length().is_some_and(|len| len > LEN_MAX) {
        return too_long();
    }
    let mut bytes = Vec::new();
    match request.as_reader().take(LEN_MAX as u64 + 1).read_to_end(&mut bytes) {
        Ok(len) if len > LEN_MAX => too_long(),
        Ok(_) => Answer::to(summarize.bind(&bytes).on(pool).run()),
        Err(why) => Answer::refusal(400, "bad_image", &why.to_string()),
    }
}

fn too_long() -> Answer {
    Answer::refusal(413, "too_long", "an image may have 16 MiB")
}
