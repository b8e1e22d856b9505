//! Patterns in parameters, each the function's own affair.

#![deny(warnings)]

use loky::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone)]
struct Point {
    x: i64,
    y: i64,
}

#[derive(Serialize, Deserialize)]
struct Only(u8, String);

#[loky::task]
fn owned(mut sum: i64, (a, b): (i64, i64), [first, .., last]: [i64; 4], Point { x, .. }: Point) -> i64 {
    sum += a + b + first + last;
    sum + x
}

#[loky::task]
fn borrowed(
    &(a, ref text): &(u8, String),
    Only(n, _): &Only,
    &[x, y]: &[u8; 2],
    point @ Point { x: px, y: _ }: &Point,
) -> i64 {
    i64::from(a + n + x + y) + text.len() as i64 + px + point.y
}

#[loky::task]
fn bindings(whole @ (_, inner @ (b, _)): (u8, (u8, u8)), _: String, _unused: (), mut list: Vec<u8>) -> Vec<u8> {
    list.extend([whole.0, whole.1.0, inner.1, b]);
    list
}

#[loky::task]
fn attributes(#[expect(unused_variables, reason = "that is the point")] x: u8, #[allow(unused_mut)] mut y: u8) -> u8 {
    y
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let point = Point { x: 100, y: 1000 };
        assert_eq!(owned.run(1, (2, 3), [4, 0, 0, 5], point.clone())?, 115);
        assert_eq!(owned::run(1, (2, 3), [4, 0, 0, 5], point.clone())?, 115);
        let pair = (1, String::from("four"));
        assert_eq!(borrowed.run(&pair, &Only(2, String::new()), &[3, 4], &point)?, 1114);
        assert_eq!(borrowed::run(&pair, &Only(2, String::new()), &[3, 4], &point)?, 1114);
        assert_eq!(bindings.run((1, (2, 3)), String::new(), (), vec![0])?, [0, 1, 2, 3, 2]);
        assert_eq!((attributes.run(1, 2)?, attributes::run(1, 2)?), (2, 2));
        let closure = loky::closure!(|(mut a, Point { x, y: _ }): (i64, Point), [b, ..]: &[i64; 2], _: ()| {
            a += x;
            a + b
        });
        assert_eq!(closure.run((1, point), &[2, 3], ())?, 103);
        Ok(())
    }
}
