//! A program of its own, with `loky::main!`: cargo builds it for the tests, too, and then with their features.

use loky::prelude::*;

loky::main! {
    fn main() -> Result<(), loky::Error> {
        println!("sum {}", plain::add.run(20, 22)?);
        plain::say.run("program")?;
        Ok(())
    }
}
