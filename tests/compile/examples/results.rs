//! What a task can give back.

#![deny(warnings)]

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::num::{NonZero, Wrapping};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use loky::prelude::*;

/// One task for each type.
macro_rules! gives {
    ($($name:ident: $ty:ty = $value:expr;)*) => {
        $(#[loky::task] fn $name() -> $ty { $value })*

        fn all_are_given() -> Result<(), loky::Error> {
            $(let expected: $ty = $value; assert_eq!([$name.run()?, $name::run()?], [expected.clone(), expected]);)*
            Ok(())
        }
    };
}

gives! {
    unit: () = ();
    nested_options: Option<Option<()>> = Some(None);
    nested_results: Result<Result<u8, String>, Option<()>> = Ok(Err("e".into()));
    wide: u128 = u128::MAX;
    wide_and_signed: i128 = i128::MIN;
    size: isize = -1;
    letter: char = '\u{10ffff}';
    number: f32 = f32::MIN_POSITIVE;
    text: String = "\u{1f980}".into();
    no_text: Box<str> = "".into();
    copied: Cow<'static, str> = Cow::Borrowed("c");
    slice: Box<[u8]> = [1, 2].into();
    array: [[u8; 2]; 3] = [[1, 2]; 3];
    empty: [u64; 0] = [];
    units: Vec<()> = vec![(); 3];
    tuple: (u8, (char, (bool,)), [(); 1]) = (1, ('c', (true,)), [()]);
    map: HashMap<String, Vec<u8>> = HashMap::from([("k".into(), vec![1])]);
    set: BTreeSet<(u8, u8)> = BTreeSet::from([(1, 2)]);
    queue: VecDeque<Option<u8>> = VecDeque::from([None, Some(1)]);
    path: PathBuf = "a/b".into();
    duration: Duration = Duration::from_nanos(1);
    non_zero: NonZero<u8> = NonZero::<u8>::MIN;
    wrapping: Wrapping<i8> = Wrapping(-128);
    range: Range<u64> = 1..3;
    address: IpAddr = [127, 0, 0, 1].into();
    boxed: Box<Box<u8>> = Box::new(Box::new(1));
}

#[loky::task]
fn no_arrow() {}

#[loky::task]
fn arrow_to_a_type() -> std::result::Result<std::vec::Vec<self::inner::Alias>, <u8 as ToOwned>::Owned> {
    Ok(vec![1])
}

mod inner {
    pub(crate) type Alias = u16;
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        all_are_given()?;
        no_arrow.run()?;
        assert_eq!(arrow_to_a_type.run()?, Ok(vec![1]));
        Ok(())
    }
}
