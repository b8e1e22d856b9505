//! A zoo of failures: one call for each kind of error that one machine can have, what its error says in one line, and a
//! program that goes on.
//!
//! [`EXHIBITS`] is the zoo. The tasks that misbehave are in `tasks`, and values that cannot travel in `values`.

mod tasks;
mod values;

use std::fs::File;
use std::process;
use std::time::Duration;

use loky::prelude::*;
use loky::{ErrorKind, Fd, Pool};

use crate::tasks::*;
use crate::values::Unwritable;

/// In which a task will have begun.
const AWHILE: Duration = Duration::from_millis(300);

type Exhibit = (ErrorKind, &'static str, fn() -> Result<(), loky::Error>);

const EXHIBITS: &[Exhibit] = &[
    (ErrorKind::Panic, "divides by zero", || divide.run(1, 0).map(drop)),
    (ErrorKind::Crash, "calls abort()", || abort.run()),
    (ErrorKind::Crash, "calls exit(3)", || exit.run(3)),
    (ErrorKind::Crash, "writes through a null pointer", || write_through_null.run()),
    (ErrorKind::Crash, "recurses without end", || recurse.run(0).map(drop)),
    (ErrorKind::Timeout, "hangs, and has 300 ms", || hang.bind().timeout(Duration::from_millis(300)).run()),
    (ErrorKind::QueueTimeout, "finds nobody free within 50 ms", finds_nobody_free),
    (ErrorKind::Cancelled, "hangs, and is cancelled", || {
        let handle = hang.spawn();
        handle.wait_timeout(AWHILE);
        handle.cancel();
        handle.join()
    }),
    (ErrorKind::Shutdown, "hangs while its pool ends", || {
        let pool = Pool::builder().workers(1).build()?;
        let handle = hang.bind().on(&pool).spawn();
        handle.wait_timeout(AWHILE);
        pool.shutdown_now();
        handle.join()
    }),
    (ErrorKind::MemoryLimit, "wants 1 GiB, and may have 100 MB", || {
        let pool = Pool::builder().workers(1).memory_limit(100_000_000).build()?;
        grow.bind(1 << 30).on(&pool).run().map(drop)
    }),
    (ErrorKind::Encode, "an argument that cannot be written", || take.run(Unwritable)),
    (ErrorKind::Decode, "a result that cannot be read", || make.run().map(drop)),
    (ErrorKind::OutOfResources, "100 open files for a worker that may have 32", || {
        let pool = Pool::builder().workers(1).open_files_limit(32).build()?;
        let files = (0..100).map(|_| Fd::from(File::open("/dev/null").expect("it is everywhere"))).collect();
        count_files.bind(files).on(&pool).run().map(drop)
    }),
    (ErrorKind::Launch, "a pool that cannot start a process", || {
        let pool = Pool::builder().workers(1).current_dir("/no/such/folder").build()?;
        abort.bind().on(&pool).run()
    }),
    (ErrorKind::Config, "a pool without workers", || Pool::builder().workers(0).build().map(drop)),
    (ErrorKind::Initializer, "an initializer that fails", || {
        let pool = Pool::builder().workers(1).initializer(load_license.bind("/no/such/license")).build()?;
        abort.bind().on(&pool).run()
    }),
    (ErrorKind::Depth, "a task that spawns itself", || descend.run()?),
];

loky::main! {
    fn main() -> process::ExitCode {
        let mut others = 0;
        for (kind, what, show) in EXHIBITS {
            let error = show().expect_err("nothing in here goes well");
            println!("{kind:?}: {what}\n    {error}");
            others += usize::from(error.kind() != *kind);
        }
        // Not a failed call at all: the task's own `Result` comes back as it is.
        println!("No error: a task's own `Result`\n    {:?}", parse.run("70000"));

        let rest = (1..=4).map(|n| (12, n)).par_map(divide).unwrap_all();
        println!("And process {} goes on: {rest:?}", process::id());
        process::ExitCode::from(u8::from(others > 0))
    }
}

/// The only worker of the pool is busy.
fn finds_nobody_free() -> Result<(), loky::Error> {
    let pool = Pool::builder().workers(1).build()?;
    let busy = hang.bind().on(&pool).spawn();
    let waits = hang.bind().on(&pool).queue_timeout(Duration::from_millis(50)).run();
    busy.cancel();
    waits
}
