//! A program whose `main` returns what its calls return: an error, when it is interrupted.
//!
//! It holds a call at a gate of the case that has started it, and gives up at the first error.

use loky::prelude::*;
use loky_tests::tasks::{meet, square};
use loky_tests::{Gate, pool_of};

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (pool, gate) = (pool_of(1), Gate::of_the_case("gate"));
        let held = meet.bind(gate.clone(), 7).on(&pool).spawn();
        let queued = square.bind(3).on(&pool).spawn();
        gate.await_arrivals(1);
        Gate::of_the_case("ready").arrive("ready");
        let heard = Gate::of_the_case("heard");
        square.bind(4).on(&pool).priority(-1).spawn().on_done(move |_| heard.arrive("heard"));
        held.join()?;
        queued.join()?;
        Ok(())
    }
}
