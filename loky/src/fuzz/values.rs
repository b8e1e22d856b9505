//! Any bytes as values of some types of users, on the ways on which arguments and results come. What is a value of a type
//! in which each has one spelling is spelled so.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Input;
use crate::error::Error;
use crate::task::{ArgumentReader, Lent, Passage, owned};
use crate::wire::codec;

#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(f32),
    Text { name: String, points: Vec<(i16, u64)> },
    Maybe(Option<Box<[u8; 3]>>),
}

pub(super) fn decode(data: &[u8]) {
    let mut input = Input::new(data);
    let (which, bytes) = (input.byte(), input.rest());
    match which % 16 {
        0 => result::<(u8, String, Vec<Option<f64>>)>(bytes),
        1 => result::<Vec<Shape>>(bytes),
        2 => result::<Result<u64, Error>>(bytes),
        3 => result::<(char, bool, i128, [i8; 12])>(bytes),
        4 => result::<Vec<Vec<String>>>(bytes),
        // Of these, one value has many spellings.
        5 => _ = codec::decode::<(Duration, BTreeMap<String, Vec<u32>>)>(bytes),
        6 => argument(bytes, |reader| owned::<Vec<f64>>().read(reader).map(drop).is_ok()),
        7 => argument(bytes, |reader| owned::<(String, Shape)>().read(reader).map(drop).is_ok()),
        8 => lent(bytes, &Lent::<str>::NEW.passage()),
        9 => lent(bytes, &Lent::<[u64]>::NEW.passage()),
        10 => lent(bytes, &Lent::<[String]>::NEW.passage()),
        11 => lent(bytes, &Lent::<[u8]>::NEW.passage()),
        12 => two_lent(bytes),
        13 => result::<crate::error::PanicEvidence>(bytes),
        14 => result::<Vec<u8>>(bytes),
        _ => result::<[Option<Option<u16>>; 4]>(bytes),
    }
}

fn result<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = codec::decode::<T>(bytes) else { return };
    let mut again = Vec::new();
    codec::encode_into(&mut again, &value).expect("what was decoded can be encoded");
    assert_eq!(again, bytes, "it is spelled in one way only");
}

fn argument(bytes: &[u8], read: impl Fn(&mut ArgumentReader<'_>) -> bool) {
    let mut reader = ArgumentReader::new(bytes);
    if read(&mut reader) {
        let _ = reader.finish();
    }
}

fn lent<T: ?Sized + Debug, Owner>(bytes: &[u8], passage: &Passage<T, Owner>) {
    argument(bytes, |reader| {
        let Ok(owner) = passage.read(reader) else { return false };
        // All of it is looked at, and is there.
        assert!(!format!("{:?}", passage.lend(&owner)).is_empty());
        true
    });
}

fn two_lent(bytes: &[u8]) {
    argument(bytes, |reader| {
        let Ok(text) = Lent::<str>::NEW.passage().read(reader) else { return false };
        let Ok(numbers) = Lent::<[f32]>::NEW.passage().read(reader) else { return false };
        assert!(text.len() + size_of_val(&*numbers) <= bytes.len());
        true
    });
}
