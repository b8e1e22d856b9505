//! Closures in closures: plain ones, those that travel again from the worker, and those that are tasks inside of tasks.

#![deny(warnings)]

use loky::prelude::*;

#[loky::task]
fn task_with_a_closure(k: u8) -> Result<u8, String> {
    loky::closure!(|x: u8| x + k).run(1).map_err(|error| error.to_string())
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (k, names) = (2_u8, vec!["a".to_owned(), "bc".to_owned()]);
        let plain = loky::closure!(|x: u8| {
            let add = |y: u8| move |z: u8| x + y + z + k;
            let mut total = 0;
            let mut count = |n| total += n;
            count(add(1)(2));
            count(1);
            names.iter().filter(|name| name.len() > 1).map(|name| name.len() as u8).sum::<u8>() + total
        });
        assert_eq!(plain.run(1)?, 9);
        let again = loky::closure!(|x: u8| -> Result<u8, String> {
            let inner = loky::closure!(|y: u8| x * 10 + y + k);
            let listed = loky::closure!([k, x] |y: u8| x + y + k);
            let sum = inner.run(1).map_err(|error| error.to_string())?;
            Ok(sum + listed.run(1).map_err(|error| error.to_string())?)
        });
        assert_eq!(again.run(1)?, Ok(17));
        let mapped = loky::closure!(|n: u8| -> Result<Vec<u8>, String> {
            (0..n).par_map(loky::closure!(|x: u8| x + k)).collect::<Result<_, _>>().map_err(|error| error.to_string())
        });
        assert_eq!(mapped.run(3)?, Ok(vec![2, 3, 4]));
        assert_eq!(task_with_a_closure.run(1)?, Ok(2));
        let inner = loky::closure!(|| {
            #[loky::task]
            fn inside(x: u8) -> u8 {
                x + 1
            }
            inside.run(k).map_err(|error| error.to_string())
        });
        assert_eq!(inner.run()?, Ok(3));
        Ok(())
    }
}
