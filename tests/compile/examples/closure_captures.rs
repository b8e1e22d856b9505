//! What can be captured: values, references of every sort, functions, what has no size at all.

#![deny(warnings)]

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct NotClone(u8);

#[derive(Serialize, Deserialize, Clone, Copy)]
struct Unit;

fn increased(x: u8) -> u8 {
    x + 1
}

fn lent(text: &str, all: &[NotClone], one: &NotClone, path: &Path, nested: &[Vec<u8>]) -> Result<usize, loky::Error> {
    loky::closure!(|n: usize| text.len() + all.len() + usize::from(one.0) + path.components().count() + nested[n].len())
        .run(0)
}

fn of_functions<F: Fn(u8) -> u8 + Copy + 'static>(
    function: F,
    pointer: impl Fn() -> u8 + Copy + 'static,
) -> Result<u8, loky::Error> {
    let also = pointer;
    loky::closure!([function, also] |x: u8| function(x) + also()).run(1)
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (unit, empty, marker, none, units) = (Unit, (), PhantomData::<Rc<u8>>, None::<Option<()>>, [(); 3]);
        let nothing = loky::closure!(|| {
            let (_, _, _, _) = (unit, empty, marker, none);
            units.len()
        });
        assert_eq!(nothing.run()?, 3);
        let (owned, boxed, map, path, wide) = (NotClone(1), Box::new(2_u8), BTreeMap::from([("k", 3_u8)]), PathBuf::from("a"), u128::MAX);
        let map: BTreeMap<String, u8> = map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let values = loky::closure!(|x: u8| (owned.0 + *boxed + map["k"] + x, path.join("b"), wide));
        assert_eq!(values.run(4)?, (10, PathBuf::from("a/b"), u128::MAX));
        let given_away = loky::closure!(|| (owned, boxed, map));
        assert_eq!((given_away.run()?.0.0, given_away.run()?.2.len(), owned.0), (1, 1, 1));
        assert_eq!(lent("abc", &[NotClone(1)], &owned, &path, &[vec![1]])?, 7);
        let (array, tuple) = (&[1_u8, 2, 3], &(1_u8, "owned".to_owned()));
        assert_eq!(loky::closure!(|| array.len() + tuple.1.len()).run()?, 8);
        let literal = "static";
        assert_eq!(loky::closure!(|x: &str| format!("{literal}{x}")).run("!")?, "static!");
        let add = |x: u8| x + 1;
        assert_eq!(loky::closure!(|x: u8| [x].map(add).map(increased).map(u8::reverse_bits)[0]).run(1)?, 0b1100_0000);
        assert_eq!(of_functions(add, || 3)?, 5);
        let mut changing = 1;
        let before = loky::closure!(|| changing);
        changing += 1;
        assert_eq!((before.run()?, changing), (1, 2));
        Ok(())
    }
}
