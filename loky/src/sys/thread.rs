//! A thread without what the standard library makes for each of its own: a heap, a second stack for its signals, a
//! name on the heap. That is as much memory as an idle worker has for all else, and half of the time that it takes to
//! start one.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void, pthread_attr_t, pthread_t};
use nix::sys::prctl;

use super::duplicate::check_single;

/// What the thread does: a box around a box, so that one plain pointer tells where it is.
type Work = Box<dyn FnOnce() + Send>;

/// Starts a thread that does `work`, with a stack of so many bytes. It has the heap of a thread of its own as soon as
/// it asks for memory, so it should not, as long as it only waits.
pub(crate) fn start(name: &'static CStr, stack: usize, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let work: Work = Box::new(move || {
        let _ = prctl::set_name(name);
        work();
    });
    let work = Box::into_raw(Box::new(work));
    // What a library keeps for each thread lies on the stack, and may be more than that: then it is to be as large as ever.
    let started = try_start(Some(stack), work).or_else(|_| try_start(None, work));
    if started.is_err() {
        // SAFETY: it was made from a box above, and no thread has it.
        drop(unsafe { Box::from_raw(work) });
    }
    Ok(started?)
}

/// Starts a thread like those that [`start`] starts, which does nothing, and waits until it is gone: the first one of a
/// process takes longer, and leaves its stack to the next. An error if this process has more than one thread, before
/// or after.
pub(crate) fn rehearse(stack: usize) -> io::Result<()> {
    check_single()?;
    let mut thread = MaybeUninit::<pthread_t>::uninit();
    let mut attributes = MaybeUninit::<pthread_attr_t>::uninit();
    // SAFETY: it is initialized here, before anything else is done with it.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: the call before this one has succeeded; a size that is too small is refused.
    let sized = check(unsafe { libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack) });
    let started = sized.and_then(|()| {
        // SAFETY: the attributes are initialized, `idle` needs nothing, and the number is written to a variable of this function.
        check(unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), idle, null_mut()) })
    });
    // SAFETY: they were initialized above, and are not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    // What was not started leaves this process as it was: later threads will say what is wrong.
    if started.is_ok() {
        // SAFETY: the thread was started, is not detached, and is joined once.
        check(unsafe { libc::pthread_join(thread.assume_init(), null_mut()) })?;
    }
    // It is said to have ended a moment before the kernel has taken it off its list.
    let until = Instant::now() + GONE_LIMIT;
    while check_single().is_err() && Instant::now() < until {
        std::thread::yield_now();
    }
    check_single()
}

/// From now on this thread is woken when its time has come, and not up to 50 us later, by which the kernel may save itself
/// a wake-up.
pub(crate) fn wake_exactly() {
    let _ = prctl::set_timerslack(1);
}

/// More than the end of a thread takes, by far.
const GONE_LIMIT: Duration = Duration::from_secs(1);

extern "C" fn idle(_: *mut c_void) -> *mut c_void {
    null_mut()
}

/// On success the thread owns `work`; else the caller still does.
fn try_start(stack: Option<usize>, work: *mut Work) -> Result<(), Errno> {
    let mut attributes = MaybeUninit::<pthread_attr_t>::uninit();
    // SAFETY: it is initialized here, before anything else is done with it.
    check(unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: the call before this one has succeeded.
    let attributes = unsafe { attributes.assume_init_mut() };
    let started = check_all(attributes, stack).and_then(|()| {
        let mut thread = MaybeUninit::<pthread_t>::uninit();
        // SAFETY: the attributes are initialized; `begin` takes the pointer for what it is; the thread is detached, so its
        // number, written to a variable of this function, is not needed any more.
        check(unsafe { libc::pthread_create(thread.as_mut_ptr(), attributes, begin, work.cast()) })
    });
    // SAFETY: they were initialized above, and are not used again.
    unsafe { libc::pthread_attr_destroy(attributes) };
    started
}

fn check_all(attributes: &mut pthread_attr_t, stack: Option<usize>) -> Result<(), Errno> {
    // SAFETY: whoever calls this has initialized them.
    check(unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) })?;
    // SAFETY: as above; a size that is too small is refused.
    stack.map_or(Ok(()), |stack| check(unsafe { libc::pthread_attr_setstacksize(attributes, stack) }))
}

/// These calls return what others leave in `errno`.
fn check(code: c_int) -> Result<(), Errno> {
    if code == 0 { Ok(()) } else { Err(Errno::from_raw(code)) }
}

extern "C" fn begin(work: *mut c_void) -> *mut c_void {
    // SAFETY: it is what `start` has made, and this thread is the only one that has it.
    let work = unsafe { Box::from_raw(work.cast::<Work>()) };
    work();
    std::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn it_does_its_work_under_its_name() {
        let (sender, receiver) = mpsc::channel();
        let look = move || sender.send(std::fs::read_to_string("/proc/thread-self/comm").unwrap()).unwrap();
        start(c"a-name", 128 << 10, look).unwrap();
        assert_eq!(receiver.recv().unwrap(), "a-name\n");
    }

    #[test]
    fn a_process_with_more_threads_rehearses_nothing() {
        // The harness has a thread beside the one of this test.
        assert!(rehearse(128 << 10).is_err());
    }

    #[test]
    fn a_stack_that_is_too_small_is_replaced_by_a_common_one() {
        let (sender, receiver) = mpsc::channel();
        start(c"a-name", 1, move || sender.send(7).unwrap()).unwrap();
        assert_eq!(receiver.recv(), Ok(7));
    }
}
