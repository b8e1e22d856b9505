//! Control flow in a closure: labels, `let … else`, guards, `?`, `return`, loops.

#![deny(warnings)]

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (k, limit, pairs) = (2_u8, 5_u8, vec![(1_u8, Some('a')), (2, None)]);
        let labels = loky::closure!(|n: u8| {
            let mut count = 0;
            'outer: for a in 0..n {
                for b in 0..n {
                    if a == k {
                        break 'outer;
                    }
                    if b > a {
                        continue 'outer;
                    }
                    count += 1;
                }
            }
            let block = 'block: {
                if count > limit {
                    break 'block 100;
                }
                count
            };
            let looped = loop {
                if count >= limit {
                    break count;
                }
                count += k;
            };
            while let Some(rest) = count.checked_sub(k) {
                count = rest;
            }
            (block, looped, count)
        });
        assert_eq!(labels.run(4)?, (3, 5, 1));
        let or_else = loky::closure!(|at: usize| -> Result<String, String> {
            let Some((number, letter)) = pairs.get(at) else {
                return Err(format!("nothing at {at}"));
            };
            let letter = letter.ok_or("no letter")?;
            let (Ok(number @ 0..=9) | Err(number)) = i64::from(*number).checked_add(i64::from(k)).ok_or(0) else {
                return Ok(String::new());
            };
            Ok(format!("{number}{letter}"))
        });
        assert_eq!(or_else.run(0)?, Ok("3a".to_owned()));
        assert_eq!((or_else.run(1)?, or_else.run(7)?), (Err("no letter".to_owned()), Err("nothing at 7".to_owned())));
        let matched = loky::closure!(|x: Result<u8, String>| match x {
            Ok(k) if k > limit => k,
            Ok(0 | 1) => k,
            Ok(n @ 2..=3) => n * k,
            Ok(limit) => limit,
            Err(text) => text.len() as u8,
        });
        assert_eq!((matched.run(Ok(9))?, matched.run(Ok(3))?, matched.run(Err("abc".to_owned()))?), (9, 6, 3));
        let if_let = loky::closure!(|x: Option<u8>| if let Some(k) = x { k } else if k > 1 { limit } else { 0 });
        assert_eq!((if_let.run(Some(9))?, if_let.run(None)?), (9, 5));
        Ok(())
    }
}
