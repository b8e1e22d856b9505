//! What a call costs: nine workloads, here, at the kernel's own floor, with threads and with another process pool.
//!
//! `cargo bench -p loky-benches -- --help` lists the options; `docs/performance.md` says what each workload is. Every
//! cell, one workload of one contestant, is measured in a process of its own. So contestants cannot disturb each
//! other, and one that crashes or hangs costs its own cells and nothing else. It never fails because of a figure.

mod absent;
mod cell;
mod floor;
mod gate;
mod machine;
mod options;
mod procfs;
mod report;
mod rounds;
mod scale;
mod system;
mod tasks;
mod workload;

use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // Only the floor starts processes like this, and what stands before this line would be part of it.
    if floor::has_served(env::args().nth(1).as_deref()) {
        return Ok(());
    }
    // Both pools start this program again and catch their own workers, each by a variable of its own. Ours goes first,
    // so that what procspawn does in every process is no part of our figures; its workers pass through our line.
    loky::main!();
    if let [_, cell::CELL, workload, contestant, rest @ ..] =
        &env::args().collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        return Ok(cell::run(workload, contestant, rest.contains(&"--quick"))?);
    }
    procspawn::init();
    let Some(options) = options::parse()? else { return Ok(()) };
    // Workers that outlive their cell come to this process, which ends them and counts what they have used.
    nix::sys::prctl::set_child_subreaper(true)?;
    let noise = machine::Noise::begin();
    let results = rounds::run(&options)?;
    report::publish(&options, &results, &noise.end())
}
