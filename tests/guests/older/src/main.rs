//! Every form of a task, in edition 2021, where the library is called `engine`.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms)]

use engine::prelude::*;
use serde::{Deserialize, Serialize};

/// In a module of this crate, under the name that the library has there.
mod inner {
    pub(crate) use engine as library;

    /// Finds the library by a path.
    #[library::task(crate = crate::inner::library)]
    pub(crate) fn add(a: i64, b: i64) -> i64 {
        a + b
    }
}

#[engine::task(crate = engine)]
async fn later(text: &str) -> usize {
    text.len()
}

#[engine::task(crate = engine, name = "largest of all")]
fn largest<T: PartialOrd + Clone>(all: &[T]) -> Option<T> {
    all.iter().cloned().reduce(|a, b| if b > a { b } else { a })
}

#[derive(Serialize, Deserialize)]
struct Scaled<T>(T);

#[engine::tasks(crate = engine)]
impl<T: std::ops::Mul<Output = T> + Copy> Scaled<T> {
    #[engine::task]
    fn by(&self, factor: T) -> T {
        self.0 * factor
    }
}

#[engine::tasks(crate = engine)]
impl Scaled<bool> {
    #[engine::task]
    fn not(self) -> Self {
        Self(!self.0)
    }
}

#[engine::task(crate = engine)]
fn fail() {
    panic!("as it was told");
}

/// What is known of a task that panics; how much that is depends on how this program was built.
fn tell_of_a_panic() {
    let error = fail.run().expect_err("it panics");
    let has_said_why = error.stderr_tail().is_some_and(|tail| tail.contains("as it was told"));
    println!("{:?}, signal {:?}, last words: {has_said_why}", error.kind(), error.signal());
}

engine::main! {
    fn main() -> Result<(), engine::Error> {
        if std::env::args().any(|argument| argument == "fails") {
            tell_of_a_panic();
            return Ok(());
        }
        assert_eq!(inner::add.run(1, 2)?, 3);
        assert_eq!(inner::add::run(1, 2)?, 3);
        assert_eq!(later.run("four")?, 4);
        assert_eq!(largest.run(&[1, 3, 2])?, Some(3));
        assert_eq!(largest::run::<f32>(&[])?, None);
        assert_eq!(Scaled::by.run(&Scaled(2.0), 4.0)?, 8.0);
        assert!(Scaled::not.run(Scaled(false))?.0);
        let k = 10;
        let all: Vec<i64> = (0..4).par_map(engine::closure!(|x: i64| x * k)).collect::<Result<_, _>>()?;
        assert_eq!(all, [0, 10, 20, 30]);
        println!("all forms ran");
        Ok(())
    }
}
