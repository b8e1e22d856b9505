//! Timers, sockets and spawned tasks, in a worker; handles, awaited in a program that has a runtime of its own.

use std::io;
use std::time::{Duration, Instant};

use loky::prelude::*;
use tokio::net::{TcpListener, TcpStream};

#[loky::task]
async fn sleep(millis: u64) -> bool {
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_millis(millis)).await;
    begun.elapsed() >= Duration::from_millis(millis)
}

/// One short line, which always fits into what a socket takes and gives at once.
async fn say(stream: &TcpStream, line: &str) -> io::Result<()> {
    stream.writable().await?;
    stream.try_write(line.as_bytes()).map(drop)
}

async fn hear(stream: &TcpStream) -> io::Result<String> {
    let mut bytes = [0; 100];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut bytes) {
            Ok(len) => return Ok(String::from_utf8_lossy(&bytes[..len]).into_owned()),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            Err(why) => return Err(why),
        }
    }
}

#[loky::task]
async fn fetch(address: &str, question: String) -> Result<String, String> {
    let talk = async {
        let stream = TcpStream::connect(address).await?;
        say(&stream, &question).await?;
        hear(&stream).await
    };
    let said = tokio::time::timeout(Duration::from_secs(10), talk).await.map_err(|why| why.to_string())?;
    said.map_err(|why| why.to_string())
}

#[loky::task]
async fn concurrently(numbers: Vec<u64>) -> u64 {
    let tasks: Vec<_> = numbers.into_iter().map(|number| tokio::spawn(async move { number * number })).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("it does not panic");
    }
    sum + tokio::task::spawn_blocking(|| 1).await.expect("nor does this")
}

/// Leaves something running, and comes back to it.
static LEFT: std::sync::Mutex<Option<tokio::task::JoinHandle<u8>>> = std::sync::Mutex::new(None);

#[loky::task]
async fn leave() {
    let left = tokio::spawn(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        7
    });
    *LEFT.lock().expect("no panic") = Some(left);
}

#[loky::task]
async fn come_back() -> Option<u8> {
    let left = LEFT.lock().expect("no panic").take()?;
    left.await.ok()
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(use_it())?;
        println!("all ran within tokio");
        Ok(())
    }
}

async fn use_it() -> Result<(), loky::Error> {
    assert!(sleep.spawn(20).await?, "a timer");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a worker connects");
        let question = hear(&stream).await.expect("it asks");
        say(&stream, &question.to_uppercase()).await.expect("it listens");
    });
    assert_eq!(fetch.spawn(&address, "hello".to_string()).await?, Ok("HELLO".to_string()), "a socket");
    server.await.expect("the server is done");
    assert_eq!(concurrently.spawn(vec![1, 2, 3]).await?, 15, "spawned tasks");
    let pool = loky::Pool::builder().workers(1).build()?;
    leave.bind().on(&pool).spawn_async().await.await?;
    assert_eq!(come_back.bind().on(&pool).spawn_async().await.await?, Some(7), "what was left went on");
    Ok(())
}
