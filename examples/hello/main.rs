//! The whole of it in one screen: a task, one call in another process, and a map over many.

use loky::prelude::*;

#[loky::task]
fn add(a: i64, b: i64) -> i64 {
    println!("{a} + {b} is computed in process {}", std::process::id());
    a + b
}

loky::main! {
    fn main() -> Result<(), Box<dyn std::error::Error>> {
        println!("this is process {}", std::process::id());
        assert_eq!(add(1, 2), 3); // Still a plain function, and runs here.
        assert_eq!(add.spawn(1, 2).join()?, 3); // Runs in a worker process.

        let sums: Vec<i64> = (0..5).map(|n| (n, 10 * n)).par_map(add).collect::<Result<_, _>>()?;
        println!("{sums:?}");
        Ok(())
    }
}
