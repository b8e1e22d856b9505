//! A recorder that keeps all that it is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// By the name and the labels of each. A clone has the same in it.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<BTreeMap<String, Told>>>);

/// What was told of one thing.
#[derive(Clone)]
enum Told {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Values>),
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    }
}

impl Kept {
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub fn counter(&self, name: &str) -> u64 {
        match self.find(name) {
            Told::Counter(count) => count.load(Ordering::SeqCst),
            _ => panic!("{name} is no counter"),
        }
    }

    pub fn gauge(&self, name: &str) -> f64 {
        match self.find(name) {
            Told::Gauge(bits) => f64::from_bits(bits.load(Ordering::SeqCst)),
            _ => panic!("{name} is no gauge"),
        }
    }

    pub fn histogram(&self, name: &str) -> Vec<f64> {
        match self.find(name) {
            Told::Histogram(values) => values.0.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            _ => panic!("{name} is no histogram"),
        }
    }

    fn find(&self, name: &str) -> Told {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(name).cloned().unwrap_or_else(|| panic!("{name} is not among {:?}", told.keys()))
    }

    /// The place for what is told of this, which is new if nothing was told before.
    fn place(&self, key: &Key, new: impl FnOnce() -> Told) -> Told {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(new).clone()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.place(key, || Told::Counter(Arc::default())) {
            Told::Counter(count) => Counter::from_arc(count),
            _ => panic!("{key} is two things"),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.place(key, || Told::Gauge(Arc::default())) {
            Told::Gauge(bits) => Gauge::from_arc(bits),
            _ => panic!("{key} is two things"),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.place(key, || Told::Histogram(Arc::default())) {
            Told::Histogram(values) => Histogram::from_arc(values),
            _ => panic!("{key} is two things"),
        }
    }
}
