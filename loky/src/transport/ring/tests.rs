//! A ring in one process: what goes in comes out, and nothing that the other side writes is believed.

use std::sync::Arc;
use std::thread;

use super::own::Own;
use super::*;

fn ends(words: usize) -> (Arc<Own>, Writer<Arc<Own>>, Reader<Arc<Own>>) {
    let memory = Arc::new(Own::new(words));
    (Arc::clone(&memory), Writer::new(Arc::clone(&memory)), Reader::new(memory))
}

fn read_all(reader: &mut Reader<Arc<Own>>, piece: usize) -> Vec<u8> {
    let (mut all, mut bytes) = (Vec::new(), vec![0; piece]);
    loop {
        match reader.read(&mut bytes).unwrap() {
            0 => return all,
            len => all.extend_from_slice(&bytes[..len]),
        }
    }
}

/// One record with one word.
fn write(writer: &mut Writer<Arc<Own>>, byte: u8) -> usize {
    let len = writer.append(&[byte; WORD]).unwrap();
    writer.close();
    len
}

#[test]
fn bytes_come_out_as_they_went_in_whatever_the_pieces() {
    let text: Vec<u8> = (0..=255).cycle().take(8 * 700).collect();
    for (words, wrote, piece) in [(16, 8, 8), (16, 24, 16), (64, 8, 64), (64, 504, 8), (4096, 5600, 1000), (4096, 8, 8)]
    {
        let (_, mut writer, mut reader) = ends(words);
        let (mut rest, mut seen) = (&text[..], Vec::new());
        while !rest.is_empty() {
            let len = writer.append(&rest[..rest.len().min(wrote)]).unwrap();
            rest = &rest[len..];
            writer.close();
            if len == 0 || rest.len() % 3 == 0 {
                seen.extend(read_all(&mut reader, piece));
            }
        }
        seen.extend(read_all(&mut reader, piece));
        assert!(seen == text, "{words} words, written by {wrote}, read by {piece}");
    }
}

#[test]
fn the_last_word_is_filled_up() {
    let (_, mut writer, mut reader) = ends(16);
    assert_eq!(writer.append(&[7; 11]).unwrap(), 11);
    assert_eq!(read_all(&mut reader, 16), [], "nothing is seen before it is committed");
    writer.close();
    assert_eq!(read_all(&mut reader, 16), [[7; 11].as_slice(), &[0; 5]].concat());
}

#[test]
fn a_full_ring_takes_nothing_and_loses_nothing() {
    let (_, mut writer, mut reader) = ends(32);
    assert_eq!(writer.append(&[1; 200]).unwrap(), 120, "half of it at once");
    assert_eq!(writer.append(&[1]).unwrap(), 0, "the record is as long as it may be");
    writer.close();
    assert_eq!((write(&mut writer, 2), write(&mut writer, 3)), (8, 0), "a line stays free");
    assert_eq!(reader.read(&mut [0; 48]), Ok(48));
    assert_eq!(write(&mut writer, 3), 0, "a record is given back as a whole");
    assert_eq!(read_all(&mut reader, 64).len(), 80);
    assert_eq!(write(&mut writer, 4), 8);
    assert_eq!(read_all(&mut reader, 64), [4; 8]);
    assert!(!reader.has_news());
}

#[test]
fn short_messages_stay_near_the_start() {
    let (memory, mut writer, mut reader) = ends(1024);
    for byte in 0..200 {
        assert_eq!(write(&mut writer, byte), 8);
        assert!(reader.has_news());
        assert_eq!(read_all(&mut reader, 64), [byte; 8]);
    }
    let touched = memory.words().iter().rposition(|word| word.load(Ordering::Relaxed) != 0);
    assert!(touched.is_some_and(|last| last < 2 * near(1024)), "{touched:?}");
    let long: Vec<u8> = (0..4000).map(|at| at as u8).collect();
    assert_eq!(writer.append(&long).unwrap(), 4000, "long ones go on");
    writer.close();
    assert_eq!(read_all(&mut reader, 64), long);
}

#[test]
fn what_a_long_record_leaves_behind_is_no_record() {
    // Whatever lies there could be taken for a head.
    let (_, mut writer, mut reader) = ends(512);
    let left: Vec<u8> = (HEAD | 1).to_le_bytes().repeat(200);
    for round in 0..100_u8 {
        for len in [left.len(), 8 * (1 + usize::from(round)), 8] {
            let mut rest = &left[..len];
            while !rest.is_empty() {
                let wrote = writer.append(rest).unwrap();
                writer.close();
                assert!(reader.has_news());
                assert_eq!((read_all(&mut reader, 4096).len(), reader.has_news()), (wrote, false));
                rest = &rest[wrote..];
            }
        }
    }
}

#[test]
fn an_open_record_is_read_as_far_as_it_goes_and_is_no_news() {
    let (_, mut writer, mut reader) = ends(64);
    writer.append(&[1; 8]).unwrap();
    writer.commit();
    assert!(!reader.has_news() && reader.may_sleep(Chime::Link, Patience::None));
    assert_eq!((read_all(&mut reader, 64), read_all(&mut reader, 64)), (vec![1; 8], vec![]));
    writer.append(&[2; 16]).unwrap();
    writer.commit();
    assert_eq!(read_all(&mut reader, 8), [2; 16]);
    writer.close();
    assert!(reader.has_news(), "that it is closed is news, too");
    assert_eq!(write(&mut writer, 3), 8);
    assert_eq!(read_all(&mut reader, 64), [3; 8]);
}

#[test]
fn a_patient_sleeper_is_rung_for_when_its_patience_ends() {
    let (_, mut writer, mut reader) = ends(512);
    for (until, early, late) in [(5, 4, 5), (5, 2, 9), (3, 65_530, 4), (65_530, 65_529, 2)] {
        assert!(reader.may_sleep(Chime::Pool, Patience::Until(until)));
        write(&mut writer, 1);
        assert_eq!((writer.must_ring_for(early), writer.withholds()), (None, true));
        write(&mut writer, 2);
        assert_eq!((writer.must_ring_for(late), writer.withholds()), (Some(Chime::Pool), false));
        assert_eq!((writer.must_ring_for(late), writer.withholds()), (None, false), "it was rung for");
        reader.wake();
        read_all(&mut reader, 64);
    }
    assert!(reader.may_sleep(Chime::Link, Patience::Until(5)));
    write(&mut writer, 1);
    assert_eq!((writer.must_ring_for(1), writer.must_ring()), (None, Some(Chime::Link)), "whoever rests tells all");
}

#[test]
fn a_sleeper_that_is_in_a_hurry_is_rung_for_earlier_or_wakes_at_once() {
    let (_, mut writer, mut reader) = ends(512);
    assert!(reader.hurry(1), "it is awake");
    assert!(reader.may_sleep(Chime::Pool, Patience::Until(9)));
    assert!(reader.hurry(9) && reader.hurry(12) && reader.hurry(4));
    write(&mut writer, 3);
    assert_eq!(writer.must_ring_for(3), None);
    assert!(reader.hurry(9), "it would be rung for anyhow");
    assert!(!reader.hurry(2), "there is something, and nobody will ring for it");
    assert_eq!(writer.must_ring(), None, "so it must not sleep on");
    reader.wake();
    read_all(&mut reader, 64);
    assert!(reader.may_sleep(Chime::Pool, Patience::Until(9)) && reader.hurry(4));
    write(&mut writer, 4);
    assert_eq!(writer.must_ring_for(4), Some(Chime::Pool));
}

#[test]
fn a_sleeper_is_rung_for_once() {
    let (_, mut writer, mut reader) = ends(32);
    assert_eq!(writer.must_ring(), None);
    assert!(reader.may_sleep(Chime::Link, Patience::None));
    write(&mut writer, 1);
    assert_eq!((writer.must_ring(), writer.must_ring()), (Some(Chime::Link), None));
    reader.wake();
    assert!(
        !reader.may_sleep(Chime::Pool, Patience::None) && writer.must_ring().is_none(),
        "there is something, so it does not sleep"
    );
    assert_eq!(writer.may_sleep(), Ok(false), "a line is free");
    write(&mut writer, 2);
    write(&mut writer, 3);
    assert_eq!(writer.may_sleep(), Ok(true));
    reader.read(&mut [0; 16]).unwrap();
    assert_eq!((reader.must_ring(), reader.must_ring()), (Some(Chime::Link), None));
    reader.read(&mut [0; 8]).unwrap();
    assert!(reader.may_sleep(Chime::Pool, Patience::None));
    write(&mut writer, 4);
    assert_eq!(writer.must_ring(), Some(Chime::Pool));
}

#[test]
fn nothing_that_the_other_side_writes_is_believed() {
    for head in
        [1, HEAD, HEAD | JUMP, HEAD | 8, HEAD | OPEN | 8, HEAD | JUMP | 1, HEAD | u64::MAX >> 4, u64::MAX, 7 << 32]
    {
        let (memory, _, mut reader) = ends(16);
        memory.words()[0].store(head, Ordering::SeqCst);
        assert_eq!(reader.read(&mut [0; 8]), Err(Broken), "{head:x}");
    }
    // More was given back than was written, less than before, or a part of a line.
    for read in [64, u64::MAX, 0, 12] {
        let (memory, mut writer, _) = ends(32);
        assert_eq!([0; 4].map(|byte| write(&mut writer, byte)), [8, 8, 8, 0]);
        memory.read().store(8, Ordering::SeqCst);
        assert_eq!(write(&mut writer, 0), 8, "there is room again");
        memory.read().store(read, Ordering::SeqCst);
        assert_eq!(writer.append(&[0; 60]), Err(Broken), "{read}");
        assert_eq!(writer.may_sleep(), Err(Broken));
    }
}

#[test]
fn a_head_that_changes_while_it_is_read_is_noticed() {
    for head in [HEAD | 1, 0, HEAD | JUMP, OPEN | 7] {
        let (memory, mut writer, mut reader) = ends(16);
        writer.append(&[1; 40]).unwrap();
        writer.close();
        assert_eq!(reader.read(&mut [0; 24]), Ok(24));
        memory.words()[0].store(head, Ordering::SeqCst);
        assert_eq!(reader.read(&mut [0; 16]), Err(Broken), "{head:x}");
    }
}

#[test]
fn a_record_is_extended_as_far_as_there_is_room() {
    for (words, before) in [(16, 0), (16, 1), (64, 0), (64, 5), (64, 7), (4096, 300)] {
        let (_, mut writer, mut reader) = ends(words);
        (0..before).for_each(|_| assert!(write(&mut writer, 1) == WORD && !read_all(&mut reader, WORD).is_empty()));
        assert_eq!((writer.append(&[]), writer.extend([1])), (Ok(0), false), "there is no record yet");
        let (mut next, mut expected) = (0_u64, Vec::new());
        for round in 0..1000 {
            // What is left unread lies in the way.
            while writer.append(&next.to_le_bytes()).unwrap() == 0 {
                if writer.is_begun() { writer.close() } else { break }
            }
            next += u64::from(writer.is_begun());
            while writer.extend([next, next + 1]) {
                next += 2;
            }
            if round % 2 == 0 {
                writer.close();
                assert!(!writer.extend([1]), "the record has ended");
            }
            if round % 3 != 0 {
                expected.extend(read_all(&mut reader, 5 * WORD));
            }
        }
        writer.close();
        expected.extend(read_all(&mut reader, 5 * WORD));
        let seen: Vec<_> =
            expected.chunks_exact(WORD).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
        assert!(next > 1000 && seen.into_iter().eq(0..next), "{words} words");
    }
}

#[test]
fn a_record_is_not_extended_past_the_end_of_the_ring() {
    let (_, mut writer, mut reader) = ends(64);
    (0..6).for_each(|_| assert_eq!(write(&mut writer, 1), WORD));
    assert_eq!((0..2).map(|_| reader.read(&mut [0; WORD]).unwrap()).sum::<usize>(), 2 * WORD);
    assert_eq!(writer.append(&[2; WORD]).unwrap(), WORD);
    let extended = std::iter::repeat_with(|| writer.extend([3])).take_while(|&is_done| is_done).count();
    assert_eq!(extended, 14, "as many as lie before the end");
    assert_eq!(writer.append(&[4; 3 * WORD]).unwrap(), 3 * WORD, "there is room at the start");
    writer.close();
    let seen = read_all(&mut reader, 64 * WORD);
    let expected = [(1, 4), (2, 1), (3, 14), (4, 3)];
    let firsts: Vec<_> = seen.chunks_exact(WORD).map(|word| word[0]).collect();
    let expected: Vec<_> = expected.into_iter().flat_map(|(byte, count)| vec![byte; count]).collect();
    assert_eq!(firsts, expected);
}

#[test]
fn two_threads_pass_a_long_stream_through_a_small_ring() {
    const COUNT: u64 = 60_000;
    let (_, mut writer, mut reader) = ends(64);
    let writing = thread::spawn(move || {
        let mut next = 0;
        while next < COUNT {
            let bytes: Vec<u8> = (next..COUNT.min(next + 1 + next % 50)).flat_map(u64::to_le_bytes).collect();
            let len = writer.append(&bytes).unwrap();
            if next % 3 == 0 {
                writer.commit();
            }
            writer.close();
            next += (len / WORD) as u64;
            if len == 0 {
                thread::yield_now();
            }
        }
    });
    let (mut seen, mut bytes) = (0_u64, [0; 5 * WORD]);
    while seen < COUNT {
        let len = reader.read(&mut bytes).unwrap();
        for word in bytes[..len].chunks_exact(WORD) {
            assert_eq!(word, seen.to_le_bytes());
            seen += 1;
        }
        if len == 0 {
            thread::yield_now();
        }
    }
    writing.join().unwrap();
}

#[test]
fn a_reader_with_much_to_read_wakes_a_writer_in_time() {
    let memory = Own::shared(64 * LINE);
    let (mut writer, mut reader) = (Writer::new(memory.clone()), Reader::new(memory));
    let bytes = [7; 64 * LINE * WORD];
    while writer.append(&bytes).unwrap() > 0 {
        writer.close();
    }
    assert_eq!(writer.may_sleep(), Ok(true));
    let mut read = [0; 64 * LINE * WORD];
    let first = reader.read(&mut read).unwrap();
    assert!(first < bytes.len() * 3 / 4 && reader.has_news(), "there is more: {first}");
    assert_eq!(reader.must_ring(), Some(Chime::Link));
    assert!(writer.append(&bytes).unwrap() > 0, "both are at work");
}
