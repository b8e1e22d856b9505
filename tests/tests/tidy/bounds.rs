//! What no line of the record shows: which types may go to other threads, since that follows from what is in them.

use std::cell::Cell;
use std::rc::Rc;

use loky::{AsCompleted, Call, Closure, Error, Fd, JoinHandle, ParMapIter, Pool, PoolBuilder, Shared};

/// A result that stays on its thread.
type Local = Rc<Cell<u8>>;

#[test]
fn handles_and_calls_go_to_other_threads_whatever_the_result() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_sent<T: Send + Unpin + 'static>() {}
    is_shared::<Pool>();
    is_shared::<PoolBuilder>();
    is_shared::<Error>();
    is_shared::<Call<Local>>();
    is_shared::<Closure<fn(u8), Local, 1>>();
    is_shared::<Shared<f64>>();
    is_sent::<JoinHandle<Local>>();
    is_sent::<AsCompleted<Local>>();
    is_sent::<ParMapIter<std::vec::IntoIter<u8>, Local>>();
    is_sent::<Fd>();
}
