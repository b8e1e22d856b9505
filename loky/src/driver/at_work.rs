//! Who has something to do, and how far they say that they have come.

use super::inner::{Inner, Worker};
use super::{Driver, evidence};
use crate::bars::Own;
use crate::ids::WorkerId;

impl Driver {
    /// How many workers have something to do, and what their tasks say of themselves, by the places of the workers.
    pub(crate) fn at_work(&self) -> (usize, Vec<Own>) {
        if self.is_foreign() {
            return (0, Vec::new());
        }
        let inner = self.inner.lock();
        let has_calls = |worker: &Worker| worker.body.as_ref().is_some_and(|body| !body.given.is_empty());
        let busy: Vec<_> = inner.workers.iter().filter(|(_, worker)| has_calls(worker)).map(|(&id, _)| id).collect();
        let mut own: Vec<_> = busy.iter().filter_map(|&id| inner.own_words(id)).collect();
        own.sort_by_key(|own| own.worker);
        (busy.len(), own)
    }
}

impl Inner {
    fn own_words(&self, id: WorkerId) -> Option<Own> {
        let worker = self.workers.get(&id)?;
        let body = worker.body.as_ref()?;
        let call = body.given.begun(body.page.begun())?.call;
        let task = self.calls.get(call)?.order.task_name();
        Some(Own { worker: worker.index, task, progress: evidence::progress(self, id)? })
    }
}
