//! Every order in which a worker that begins its calls and a parent that takes them back can meet.

use std::sync::Arc;

use loom::thread;

use super::*;

/// The words, where both sides see them.
#[derive(Clone)]
struct Words(Arc<Race>);

impl Side for Words {
    fn race(&self) -> &Race {
        &self.0
    }

    fn runs(&self, _: u64) {}
}

fn words() -> Words {
    let line = || Line(AtomicU64::new(0));
    Words(Arc::new(Race { begun: line(), gone_on: line(), recalled: line() }))
}

/// No more is ever taken back than all that was sent: so the worker begins nothing behind that meanwhile.
#[test]
fn model_each_call_is_begun_or_taken_back() {
    loom::model(|| {
        let (words, sent) = (words(), Arc::new(AtomicU64::new(2)));
        let mut worker = Beginner::new(&words);
        let working = {
            let sent = Arc::clone(&sent);
            thread::spawn(move || {
                let mut begun = [1, 2].map(|call| worker.begin(call, 0)).to_vec();
                if sent.load(Ordering::Acquire) == 3 {
                    begun.push(worker.begin(3, 0));
                }
                assert!(!worker.is_damaged());
                begun
            })
        };
        let mut taken_back = [false; 3];
        for last in [2, 3] {
            sent.store(last, Ordering::Release);
            let begun = words.0.recall(last);
            (begun.call + 1..=last).for_each(|call| taken_back[call as usize - 1] = true);
        }
        let begun = working.join().unwrap();
        assert!(
            begun.iter().zip(taken_back).all(|(begun, taken_back)| *begun != taken_back),
            "{begun:?} {taken_back:?}"
        );
    });
}

#[test]
fn model_nothing_begins_while_it_is_halted() {
    loom::model(|| {
        let words = words();
        let mut worker = Beginner::new(&words);
        let working = thread::spawn(move || [1, 2].map(|call| worker.begin(call, 0)));
        let begun = words.0.halt();
        assert_eq!(words.0.begun(), begun, "that is final");
        words.0.resume();
        assert_eq!(working.join().unwrap(), [true; 2]);
        assert!(words.0.begun().is(2));
    });
}

/// The items of a call that is not raced for go on beside the word; whole calls are exact all the same.
#[test]
fn model_a_call_that_goes_on_is_not_taken_back() {
    loom::model(|| {
        let words = words();
        let mut worker = Beginner::new(&words);
        let working = thread::spawn(move || {
            let has_begun = worker.begin(1, 0);
            (has_begun, has_begun && worker.go_on(1), worker.begin(2, 0))
        });
        let begun = words.0.recall(2);
        let (first, went_on, second) = working.join().unwrap();
        assert_eq!((first, went_on), (begun.is(1) || begun.is(2), first));
        assert_eq!(second, begun.is(2));
        assert!(!first || words.0.begun().is(2) || words.0.begun().item == 1);
    });
}
