//! A worker that ends after each word that it writes, with and without a gap between its last word and its death.

use std::net::Shutdown;

use super::*;
use crate::driver::tokens::{Part as Source, token};
use crate::error::ErrorKind;
use crate::sys::process::Exit;

/// How the end is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The process is gone.
    Death,
    /// The link is closed, and then the process is killed for it.
    Silence,
}

/// What has come of a life of which so many words were written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// How many items of each call have an answer.
    answered: [usize; CALLS.len()],
    /// The item that has begun and has none.
    running: Option<u64>,
}

/// The words before the row of a long value.
const HEAD: usize = 3;

/// Lives on until `left` words are written; the last frame may be cut.
fn live(stage: &mut Stage, mut left: usize) -> Told {
    let mut told = Told::default();
    for step in life(build()) {
        if left == 0 {
            break;
        }
        match &step {
            Step::Begin(call, _) => {
                // It may not have been given that call before.
                stage.is_heard();
                told.running = Some(*call);
            }
            Step::Say(name, words) => {
                let count = words.len().min(left);
                left -= count;
                if count < words.len() {
                    stage.say(&words[..count]);
                    break;
                }
                if name.contains("value") || *name == "failure" {
                    let call = told.running.take().expect("what is answered has begun");
                    told.answered[call as usize - 1] += 1;
                }
            }
            Step::Descriptor => {}
        }
        stage.step(&step);
    }
    told
}

fn end(stage: &mut Stage, end: End) {
    if end == End::Silence {
        stage.played.link.shutdown(Shutdown::Both).unwrap();
        let link = token(stage.played.id, Source::Link);
        stage.played.inner.hear(link, Instant::now());
        assert!(!stage.played.body().link.has_news(), "nothing more is heard from it");
    }
    stage.played.die(Exit::Signal(11));
}

/// Checks what came of each call against what was told.
fn assert_settled(stage: &mut Stage, told: &Told, at: &str) {
    let outcomes = stage.outcomes();
    stage.assert_whole();
    for (call, (items, outcome)) in CALLS.into_iter().zip(outcomes).enumerate() {
        let answered = told.answered[call];
        let is_blamed = told.running == Some(call as u64 + 1);
        match outcome {
            Some(outcome) => {
                assert_eq!(outcome.results.len(), answered, "{at}: what is whole counts");
                assert_eq!(outcome.end.as_ref().map(crate::Error::kind), is_blamed.then_some(ErrorKind::Crash), "{at}");
                let why = outcome.end.map(|why| why.to_string()).unwrap_or_default();
                assert!(!why.contains("nonsense"), "{at}: who is cut short does not lie: {why}");
            }
            None => assert!(answered < items && !is_blamed && stage.is_being_replaced(), "{at}: call {call} is lost"),
        }
    }
}

/// How many words are written before this frame.
fn words_before(frame: &str) -> usize {
    let steps = life(build()).into_iter().filter_map(|step| match step {
        Step::Say(name, words) => Some((name, words.len())),
        _ => None,
    });
    steps.take_while(|(name, _)| *name != frame).map(|(_, count)| count).sum()
}

#[test]
fn who_denies_that_it_has_begun_what_it_answers_is_to_blame() {
    for count in [HEAD + 1, LONG / WORD / 2, LONG / WORD] {
        let mut stage = Stage::new(Settings::default_for(1));
        let told = live(&mut stage, words_before("long value") + count);
        stage.played.begin(1, 2);
        end(&mut stage, End::Death);
        assert_eq!(told.running, Some(2));
        assert_settled(&mut stage, &told, &format!("after {count} words"));
    }
}

#[test]
fn cut_after_each_word_only_what_has_begun_is_to_blame() {
    let words = |step: Step| if let Step::Say(_, words) = step { words.len() } else { 0 };
    let all: usize = life(build()).into_iter().map(words).sum();
    let long = LONG / WORD;
    // In the middle of the long one, a word is like the one before it.
    for count in (0..=all).filter(|count| *count < 100 || *count > long - 20 || count % 61 == 0) {
        for way in [End::Death, End::Silence] {
            let mut stage = Stage::new(Settings::default_for(1));
            let told = live(&mut stage, count);
            end(&mut stage, way);
            assert_settled(&mut stage, &told, &format!("{way:?} after word {count} of {all}: {told:?}"));
        }
    }
}
