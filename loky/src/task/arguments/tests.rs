//! What is written is read back, in whichever way it travels, and what is false is an error.

use serde::{Deserialize, Deserializer, Serializer};

use super::*;

/// Serializes by panicking, as a lock behind a foreign `Serialize` might.
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("a poisoned {}", "lock")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("not even back")
    }
}

#[test]
fn arguments_are_read_as_they_were_written() {
    let bytes = encode_arguments(|writer| {
        writer.write("abc");
        writer.write(&[1.5, 2.5][..]);
        writer.write(&());
    })
    .unwrap();
    let mut reader = ArgumentReader::new(&bytes.bytes);
    assert_eq!(reader.read::<String>().unwrap(), "abc");
    assert!(reader.finish().is_err());
    assert_eq!(reader.read::<Vec<f64>>().unwrap(), [1.5, 2.5]);
    reader.read::<()>().unwrap();
    reader.finish().unwrap();
    assert_eq!(reader.read::<u8>(), Err(Fault::Decode("argument 4: is missing".into())));
}

#[test]
fn an_argument_reads_no_byte_of_its_neighbour() {
    let bytes = encode_arguments(|writer| [1_u32, 2].iter().for_each(|number| writer.write(number))).unwrap();
    assert!(ArgumentReader::new(&bytes.bytes).read::<u64>().is_err());
    assert!(ArgumentReader::new(&bytes.bytes).read::<u16>().is_err());
}

#[test]
fn a_false_length_is_an_error() {
    for length in [0_u64, 3, u64::MAX] {
        let bytes = [&length.to_le_bytes()[..], &[0, 0]].concat();
        assert!(ArgumentReader::new(&bytes).read::<u16>().is_err(), "{length}");
    }
    assert!(ArgumentReader::new(&[2, 0, 0]).read::<u16>().is_err());
}

#[test]
fn a_slice_of_shared_numbers_travels_as_a_range() {
    use crate::shared::passing::{Arrival, Item, Name, forget, give};
    let shared = crate::shared::Shared::from_vec((0..10_000_u32).collect());
    let encoded = encode_arguments(|writer| {
        writer.write(&shared[5000..]);
        writer.write(&&shared[..5000]);
        writer.write(&shared[..10]);
        writer.write(&shared[1..9001]);
    });
    let Encoded { bytes, row, enclosed, tail: None } = encoded.unwrap() else { panic!("nothing is given away") };
    let [Item::Segment(segment), ..] = enclosed.items() else { panic!("it is enclosed") };
    assert!(bytes.len() < 200 && row.is_none() && enclosed.items().len() == 3, "{} bytes", bytes.len());
    let id = segment.id();
    give(id, Arrival::known(Name::Given(id), std::sync::Arc::clone(segment)));
    let mut reader = ArgumentReader::new(&bytes);
    let (lent, copied) = (reader.read_slice::<u32>().unwrap(), reader.read::<Vec<u32>>().unwrap());
    assert!(std::ptr::eq(&lent[..], &shared[5000..]) && copied[..] == shared[..5000]);
    assert_eq!(reader.read_slice::<u32>().unwrap()[..], shared[..10]);
    let mut again = ArgumentReader::new(reader.rest);
    assert!(reader.read_slice::<String>().is_err() && reader.finish().is_ok());
    assert!(again.read::<Vec<String>>().is_err() && again.finish().is_ok());
    forget(id);
    assert!(ArgumentReader::new(&bytes).read_slice::<u32>().is_err(), "it was not given");
    assert!(ArgumentReader::new(&bytes[..20]).read_slice::<u32>().is_err());
}

#[test]
fn a_panicking_serialize_is_an_encoding_error_and_leaves_what_was_there() {
    let mut encoded = Encoded { bytes: b"before".to_vec(), ..Encoded::NONE };
    let error = encode_arguments_into(&mut encoded, |writer| {
        writer.write(&1_u8);
        writer.write(&Panics);
        writer.write(&Panics);
    })
    .unwrap_err();
    assert_eq!((error.kind(), error.may_have_run()), (ErrorKind::Encode, false));
    assert!(error.to_string().contains("argument 2 cannot be encoded: it panicked: a poisoned lock"), "{error}");
    assert_eq!(encoded.bytes, b"before");
}

#[test]
fn a_panicking_deserialize_is_a_fault() {
    let bytes = encode_arguments(|writer| writer.write(&())).unwrap();
    let fault = ArgumentReader::new(&bytes.bytes).read::<Panics>().err();
    assert_eq!(fault, Some(Fault::Decode("argument 1: it panicked: not even back".into())));
}

#[test]
fn a_long_row_that_is_given_is_not_copied() {
    let numbers = vec![0.5_f64; 300_000];
    let address = numbers.as_ptr().cast::<u8>();
    let encoded = encode_arguments(|writer| {
        writer.write("abcdefgh");
        writer.give(numbers);
    });
    let Encoded { bytes, row: Some(_), tail: Some(row), .. } = encoded.unwrap() else { panic!("it lies elsewhere") };
    assert_eq!(row.bytes().as_ptr(), address);
    let mut reader = ArgumentReader::with_row(Some(row));
    reader.begin(&bytes);
    assert_eq!(reader.read::<String>().unwrap(), "abcdefgh");
    assert!(reader.read::<Vec<f64>>().unwrap() == vec![0.5; 300_000]);
    reader.finish().unwrap();
}

#[test]
fn a_row_that_fits_into_memory_that_is_used_again_is_copied_there() {
    let encoded = encode_arguments(|writer| writer.give(vec![0.5_f64; memory::LONG_MAX / 8])).unwrap();
    assert!(encoded.row.is_some() && encoded.tail.is_none());
}

#[test]
fn a_row_that_is_given_before_others_or_where_it_cannot_be_said_is_copied() {
    for before in [0, 1, 503, 504, 1000] {
        for after in [false, true] {
            let encoded = encode_arguments(|writer| {
                writer.give(vec![7_u8; before]);
                writer.give(vec![3_u32; 600_000]);
                if after {
                    writer.give(vec![9_u64; 300_000]);
                    writer.write(&1_u8);
                }
            });
            let Encoded { bytes, row, tail, .. } = encoded.unwrap();
            assert_eq!(row.is_some(), tail.is_some());
            let mut reader = ArgumentReader::with_row(tail);
            reader.begin(&bytes);
            assert!(reader.read::<Vec<u8>>().unwrap() == vec![7; before]);
            assert!(reader.read::<Vec<u32>>().unwrap() == vec![3; 600_000]);
            if after {
                assert!(reader.read::<Vec<u64>>().unwrap() == vec![9; 300_000]);
                reader.read::<u8>().unwrap();
            }
            reader.finish().unwrap();
        }
    }
}

#[test]
fn a_slice_of_numbers_is_lent_from_a_cache_line() {
    for count in [0, 1, 100, 2047, 2048, 2049, 100_000] {
        let numbers: Vec<f64> = (0..count).map(f64::from).collect();
        let encoded = encode_arguments(|writer| writer.write(&numbers[..])).unwrap();
        let mut reader = ArgumentReader::new(&encoded.bytes);
        let lent = reader.read_slice::<f64>().unwrap();
        assert!(lent[..] == numbers && (count == 0 || lent.as_ptr().addr() % 64 == 0), "{count}");
        let (start, rest) = encoded.bytes.split_at(16);
        for width in [8, 64] {
            let mut row = Row::new(width);
            row.grow(rest.len()).unwrap();
            row.extend(rest);
            let mut reader = ArgumentReader::with_row(Some(Box::new(row)));
            reader.begin(start);
            let lent = reader.read_slice::<f64>().unwrap();
            assert!(lent[..] == numbers && (count == 0 || lent.as_ptr().addr() % 64 == 0), "{count}");
        }
    }
    let short = encode_arguments(|writer| writer.write(&[1_u32, 2, 3][..])).unwrap();
    assert!(ArgumentReader::new(&short.bytes).read_slice::<u64>().is_err());
    assert!(ArgumentReader::new(&short.bytes).read_slice::<u16>().is_err());
    assert!(ArgumentReader::new(&short.bytes[..19]).read_slice::<u32>().is_err());
}
