//! Functions that are `async`: they borrow, fail, wait for each other.

#![deny(warnings)]

use std::future::{Future, ready};
use std::pin::Pin;

use loky::prelude::*;

#[loky::task]
async fn borrowed(text: &str, all: &[u64], one: &(u8, char)) -> String {
    ready(()).await;
    format!("{text} {all:?} {one:?}")
}

#[loky::task]
async fn named<'a, 'b: 'a>(a: &'a str, b: &'b str) -> usize {
    let longer: &'a str = ready(if a.len() > b.len() { a } else { b }).await;
    longer.len()
}

#[loky::task]
async fn fails(text: String) -> Result<u64, String> {
    let number = ready(text.parse::<u64>()).await.map_err(|why| why.to_string())?;
    if number == 0 {
        return Err("zero".to_owned());
    }
    Ok(number)
}

#[loky::task]
async fn waits_for_others(n: u64) -> Result<u64, String> {
    let others = [fails(n.to_string()).await?, fails("1".into()).await?];
    Ok(others.iter().sum())
}

#[loky::task]
async fn generic<T: Clone, const N: usize>(x: &T) -> Vec<T> {
    ready(vec![x.clone(); N]).await
}

/// Nothing that can be sent to another thread is needed: a task stays where it is.
#[loky::task]
async fn not_send(x: u8) -> u8 {
    let shared = std::rc::Rc::new(x);
    ready(()).await;
    *shared
}

#[loky::task]
async fn nothing() {}

#[loky::task]
async fn recursive(n: u64) -> u64 {
    let next: Pin<Box<dyn Future<Output = u64>>> = if n == 0 { Box::pin(ready(0)) } else { Box::pin(recursive(n - 1)) };
    next.await + 1
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!(borrowed.run(&String::from("t"), &vec![1], &(2, 'c'))?, "t [1] (2, 'c')");
        assert_eq!(borrowed::run("t", &[1], &(2, 'c'))?, "t [1] (2, 'c')");
        assert_eq!((named.run("a", "bc")?, named::run("a", "bc")?), (2, 2));
        assert_eq!((fails.run("0".into())?, fails.spawn("7".into()).join()?), (Err("zero".to_owned()), Ok(7)));
        assert_eq!((waits_for_others.run(2)?, generic::<_, 2>.run(&'x')?, not_send.run(3)?), (Ok(3), vec!['x'; 2], 3));
        nothing.run()?;
        assert_eq!(recursive.run(4)?, 5);
        let lengths: Vec<Result<u64, String>> = ["1", "2"].map(String::from).par_map(fails).collect::<Result<_, _>>()?;
        assert_eq!(lengths, [Ok(1), Ok(2)]);
        let k = 2;
        let closure = loky::closure!(async |text: &str| waits_for_others(k + text.len() as u64).await);
        assert_eq!(closure.run("a")?, Ok(4));
        Ok(())
    }
}
