//! On which CPUs the kernel lets the calling thread run, and shall from now on.
//!
//! One system call, made safe for machines of any size: the fixed mask of `nix` and of the C library ends at 1024
//! CPUs, and the kernel refuses a mask that is shorter than its own. What the answer is used for is not known here.

use std::io;

use nix::errno::Errno;
use nix::libc::{self, c_ulong};

/// The numbers of the CPUs on which the calling thread may run, in rising order; never empty on success.
///
/// # Errors
///
/// The system call's own error, for example where a sandbox forbids it.
pub(crate) fn affinity() -> io::Result<Vec<usize>> {
    Ok(numbers(&mask_with_room(WORDS_AT_FIRST)?))
}

/// From now on the calling thread, and whatever it starts, runs on these CPUs only; on those that it has if none is
/// named.
///
/// # Errors
///
/// If one of them does not exist or may not be used. The kernel itself passes over such a one in silence, as long as
/// there is another, so it is asked what it has made of it.
pub(crate) fn restrict(cpus: &[usize]) -> Result<(), String> {
    let Some(&highest) = cpus.iter().max() else { return Ok(()) };
    let is_absurd = highest / BITS_PER_WORD >= WORDS_MAX;
    let outcome = if is_absurd { Err(io::ErrorKind::InvalidInput.into()) } else { set(cpus, highest) };
    let given = affinity().map_err(|why| format!("the system does not tell which CPUs it has: {why}"))?;
    match (cpus.iter().find(|cpu| !given.contains(cpu)), outcome) {
        (Some(cpu), _) => Err(format!("there is no CPU {cpu} that it may use")),
        (None, Err(why)) => Err(format!("the system refuses: {why}")),
        (None, Ok(())) => Ok(()),
    }
}

fn set(cpus: &[usize], highest: usize) -> io::Result<()> {
    let mut mask: Vec<c_ulong> = vec![0; highest / BITS_PER_WORD + 1];
    cpus.iter().for_each(|cpu| mask[cpu / BITS_PER_WORD] |= 1 << (cpu % BITS_PER_WORD));
    let this_thread = 0;
    // SAFETY: The kernel reads at most `size_of_val(mask)` bytes, all of which `mask` owns, and does not keep the
    // pointer. A `cpu_set_t` is itself an array of words, so the pointer is aligned for it.
    let result = unsafe { libc::sched_setaffinity(this_thread, size_of_val(&*mask), mask.as_ptr().cast()) };
    Ok(Errno::result(result).map(drop)?)
}

/// Asks with ever longer masks: the kernel tells only that one was too short, not how long its own is.
fn mask_with_room(mut words: usize) -> io::Result<Vec<c_ulong>> {
    loop {
        match mask(words) {
            Err(Errno::EINVAL) if words < WORDS_MAX => words = (words * 2).max(1),
            asked => return Ok(asked?),
        }
    }
}

fn mask(words: usize) -> nix::Result<Vec<c_ulong>> {
    let mut mask: Vec<c_ulong> = vec![0; words];
    let this_thread = 0;
    // The wrapper of `nix` would be safe, but knows only masks of 1024 CPUs.
    // SAFETY: The kernel writes at most `size_of_val(mask)` bytes, all of which `mask` owns and has initialized. A
    // `cpu_set_t` is itself an array of words, so the pointer is aligned for it; the call does not keep the pointer.
    let result = unsafe { libc::sched_getaffinity(this_thread, size_of_val(&*mask), mask.as_mut_ptr().cast()) };
    Errno::result(result).map(|_| mask)
}

fn numbers(mask: &[c_ulong]) -> Vec<usize> {
    let is_set = |cpu: &usize| mask[cpu / BITS_PER_WORD] >> (cpu % BITS_PER_WORD) & 1 == 1;
    (0..mask.len() * BITS_PER_WORD).filter(is_set).collect()
}

/// The kernel's mask is an array of machine words, in the machine's own byte order.
const BITS_PER_WORD: usize = c_ulong::BITS as usize;

/// Room for the 1024 CPUs of an ordinary mask.
const WORDS_AT_FIRST: usize = 1024 / BITS_PER_WORD;

/// A million CPUs; a kernel that still asks for a longer mask is not believed.
const WORDS_MAX: usize = (1 << 20) / BITS_PER_WORD;

/// Runs `f` on a thread of its own that may use the first allowed CPU only; the caller's affinity stays as it is.
#[cfg(test)]
pub(crate) fn on_one_cpu<R: Send>(f: impl FnOnce(usize) -> R + Send) -> R {
    use nix::sched::{CpuSet, sched_setaffinity};

    let first = affinity().expect("the tests may ask for their affinity")[0];
    let pinned = || {
        let mut only = CpuSet::new();
        only.set(first).expect("the machine of the tests has fewer than 1024 CPUs");
        sched_setaffinity(nix::unistd::Pid::from_raw(0), &only).expect("a thread may give up CPUs");
        f(first)
    };
    std::thread::scope(|scope| scope.spawn(pinned).join()).expect("the pinned thread passes its checks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_affinity_is_that_of_the_calling_thread() {
        let before = affinity().unwrap();
        on_one_cpu(|only| assert_eq!(affinity().unwrap(), [only]));
        assert_eq!(affinity().unwrap(), before);
    }

    #[test]
    fn a_mask_that_is_too_short_grows_until_the_kernel_takes_it() {
        assert_eq!(mask(0), Err(Errno::EINVAL));
        assert_eq!(numbers(&mask_with_room(0).unwrap()), affinity().unwrap());
    }

    #[test]
    fn a_thread_is_restricted_to_what_there_is() {
        let before = affinity().unwrap();
        let restricted = || {
            let first = before[0];
            restrict(&[]).unwrap();
            assert_eq!(affinity().unwrap(), before, "nothing was said");
            let missing = 1 + before.iter().max().unwrap();
            for cpus in [vec![missing], vec![first, missing], vec![usize::MAX], vec![first, 1 << 40]] {
                let why = restrict(&cpus).unwrap_err();
                assert!(why.contains(&format!("no CPU {}", cpus.last().unwrap())), "{why}");
            }
            restrict(&[first, first]).unwrap();
            assert_eq!(affinity().unwrap(), [first]);
        };
        std::thread::scope(|scope| scope.spawn(restricted).join()).unwrap();
        assert_eq!(affinity().unwrap(), before, "another thread has what it had");
    }

    #[test]
    fn cpus_are_numbered_across_words() {
        assert_eq!(numbers(&[]), []);
        assert_eq!(numbers(&[0b101, 0, 1]), [0, 2, 2 * BITS_PER_WORD]);
        assert_eq!(numbers(&[1 << (BITS_PER_WORD - 1)]), [BITS_PER_WORD - 1]);
    }
}
