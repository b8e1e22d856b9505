//! An asynchronous service that runs the regular expressions of strangers: some of them would run for years.
//!
//! `cargo run --release --example service [ADDRESS]` listens at `127.0.0.1:8080`, or where it is told, until Ctrl-C.
//! `curl --data-binary @README.md 'localhost:8080/find?pattern=%5Cb(%5Cw%2B)%20%5C1%5Cb'` finds doubled words in a text. The
//! one task is [`find`]; a request waits for it as for any future, and no thread waits with it. What takes too long is
//! killed, and answered by 504; when too many wait already, the next one is told so at once, by 503.

use std::error::Error;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use fancy_regex::RegexBuilder;
use loky::prelude::*;
use loky::{ErrorKind, Interrupt, Pool};
use serde::Deserialize;
use tokio::net::TcpListener;

const TIME_LIMIT: Duration = Duration::from_millis(500);
const WAITING_MAX: usize = 64;

/// Where the matches are, in bytes.
#[loky::task]
fn find(pattern: &str, text: &str) -> Result<Vec<(usize, usize)>, String> {
    // The engine would give up by itself after a million steps, which may take a millisecond or an hour.
    let regex = RegexBuilder::new(pattern).backtrack_limit(usize::MAX).build().map_err(|why| why.to_string())?;
    let matches = regex.find_iter(text).map(|found| found.map(|found| (found.start(), found.end())));
    matches.collect::<Result<_, _>>().map_err(|why| why.to_string())
}

#[derive(Deserialize)]
struct Question {
    pattern: String,
}

type Answer = Result<Json<Vec<(usize, usize)>>, (StatusCode, String)>;

async fn answer(State(pool): State<Pool>, Query(question): Query<Question>, text: String) -> Answer {
    let call = find.bind(&question.pattern, &text).on(&pool).timeout(TIME_LIMIT);
    let Ok(found) = call.try_spawn() else {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "too many are waiting; come back later\n".into()));
    };
    match found.await {
        Ok(Ok(found)) => Ok(Json(found)),
        Ok(Err(wrong)) => Err((StatusCode::BAD_REQUEST, format!("{wrong}\n"))),
        Err(why) if why.kind() == ErrorKind::Timeout => Err((StatusCode::GATEWAY_TIMEOUT, format!("{why}\n"))),
        Err(why) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n"))),
    }
}

loky::main! {
    #[tokio::main(flavor = "current_thread")]
    async fn main() -> Result<(), Box<dyn Error>> {
        let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
        // Ctrl-C is for the server: it answers what it has taken on, and then ends the pool.
        let pool = Pool::builder().queue_limit(WAITING_MAX).on_interrupt(Interrupt::Ignore).build()?;
        let listener = TcpListener::bind(&address).await?;
        println!("listening at http://{}", listener.local_addr()?);
        let routes = Router::new().route("/find", post(answer)).with_state(pool.clone());
        axum::serve(listener, routes).with_graceful_shutdown(interrupted()).await?;
        println!("{} requests answered", pool.stats().submitted);
        pool.shutdown();
        Ok(())
    }
}

async fn interrupted() {
    tokio::signal::ctrl_c().await.expect("a handler can be installed");
}
