//! Every order in which the last holders of segments can go, while somebody takes in which are gone.

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::sync::gong::Gong;

#[test]
fn model_whoever_goes_last_is_told_of() {
    loom::model(|| {
        let (departed, gong) = (Departed::new(None), Arc::new(Gong::default()));
        let holders = [1, 2].map(|id| {
            let (departed, gong) = (std::sync::Arc::clone(&departed), Arc::clone(&gong));
            thread::spawn(move || {
                if departed.note(id) {
                    gong.ring();
                }
            })
        });
        let mut told = Vec::new();
        while told.len() < 2 {
            gong.wait();
            if departed.has_some() {
                told.extend(departed.take());
            }
        }
        told.sort_unstable();
        assert_eq!(told, [1, 2]);
        holders.into_iter().for_each(|holder| holder.join().unwrap());
    });
}
