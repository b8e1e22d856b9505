//! The only unsafe code of the tests: ways to die that safe code cannot take, and ways to be a difficult process.

#![expect(unsafe_code, reason = "a test of crashes must be able to crash")]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

/// Writes to address zero: SIGSEGV, as a wild pointer gives it.
pub fn null_write() -> ! {
    // SAFETY: nothing is promised of this write but that it kills the process, which is what the caller wants; page
    // zero is never mapped.
    unsafe { std::ptr::null_mut::<u8>().wrapping_add(std::hint::black_box(0)).write_volatile(1) };
    unreachable!("page zero is mapped")
}

/// Writes where a slice lies, as a wild pointer may.
pub fn overwrite<T>(slice: &[T]) {
    // SAFETY: nothing is promised of this write but that it kills the process, since what lies there is mapped for
    // reading; that is what the caller wants to see.
    unsafe { slice.as_ptr().cast_mut().cast::<u8>().write_volatile(1) };
}

/// A descriptor of a process.
pub fn pidfd_of(pid: u32) -> OwnedFd {
    // SAFETY: the call takes two numbers and touches no memory of ours.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let descriptor = i32::try_from(descriptor).ok().filter(|number| *number >= 0).expect("such a process is there");
    // SAFETY: the kernel has made it just now, and nobody else has seen its number.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Ends the process without running anything that was registered for its end.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes any number and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Runs `child` in a fork of this process and gives its exit code, or `None` if it died of a signal.
pub fn in_a_fork(child: impl FnOnce() -> i32) -> Option<i32> {
    // SAFETY: the child may meet locks that other threads of the parent held. That is the situation under test: a
    // pool must notice it before it takes a lock. The child never returns into the parent's frames.
    match unsafe { nix::unistd::fork() }.expect("a process can be forked") {
        ForkResult::Child => {
            let code = catch_unwind(AssertUnwindSafe(child));
            exit_now(code.unwrap_or(PANICKED))
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("the fork is our child") {
            WaitStatus::Exited(_, code) => Some(code),
            _ => None,
        },
    }
}

/// Forks this process and returns in both: `true` in the parent, which reaps the child in a thread of its own.
pub fn fork_here() -> bool {
    // SAFETY: as above; the child goes on in a copy of this thread, with whatever locks were free.
    match unsafe { nix::unistd::fork() }.expect("a process can be forked") {
        ForkResult::Child => false,
        ForkResult::Parent { child } => {
            std::thread::spawn(move || waitpid(child, None));
            true
        }
    }
}

/// Closes a descriptor of whoever it is.
pub fn close(descriptor: i32) {
    // SAFETY: somebody else's file is closed under them. That is the situation under test, in a worker that will not
    // live on.
    unsafe { libc::close(descriptor) };
}

/// Has the kernel discard the exit status of every child, as a program that wants no zombies does.
pub fn ignore_sigchld() {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed, so no code runs in signal context.
    unsafe { sigaction(Signal::SIGCHLD, &ignore) }.expect("SIGCHLD may be ignored");
}

/// From now on this process counts how often such a signal comes, and does nothing else.
pub fn count_signals(signal: Signal) {
    handle(signal, SigHandler::Handler(on_counted));
}

/// The same, and each is passed on to the handler that was there before, as libraries do that hand signals around.
pub fn count_and_pass_on(signal: Signal) {
    let action = SigAction::new(SigHandler::Handler(on_passed_on), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler adds to a number and calls another handler, each of which may run at any point of any thread.
    let before = unsafe { sigaction(signal, &action) }.expect("such a signal may be handled");
    if let SigHandler::Handler(before) = before.handler() {
        *BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(before);
    }
}

/// How many have come.
pub fn signals_counted() -> u32 {
    COUNTED.load(Ordering::SeqCst)
}

/// From now on the system does with such a signal what it does by default.
pub fn restore_default(signal: Signal) {
    handle(signal, SigHandler::SigDfl);
}

/// From now on such a signal is nothing to this process.
pub fn ignore(signal: Signal) {
    handle(signal, SigHandler::SigIgn);
}

/// Sends a signal to the calling thread.
pub fn raise(signal: Signal) {
    nix::sys::signal::raise(signal).expect("a process may signal itself");
}

fn handle(signal: Signal, handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the only handler that is installed here adds to a number, and may run at any point of any thread.
    unsafe { sigaction(signal, &action) }.expect("such a signal may be handled");
}

/// From now on the clocks of new children, but for the time of day, are ahead of ours by so many seconds.
pub fn set_clocks_of_children_ahead(seconds: u64) -> io::Result<()> {
    const CLONE_NEWTIME: libc::c_int = 0x80;
    // SAFETY: takes a number; this process itself stays where it is.
    if unsafe { libc::unshare(CLONE_NEWTIME) } != 0 {
        return Err(io::Error::last_os_error());
    }
    std::fs::write("/proc/self/timens_offsets", format!("monotonic {seconds} 0\nboottime {seconds} 0\n"))
}

/// From now on this process says so on standard error when it writes where it may not, and dies of it all the same.
pub fn report_segfaults() {
    handle(Signal::SIGSEGV, SigHandler::Handler(on_segfault));
}

/// What it says.
pub const SEGFAULT_REPORT: &str = "a crash handler of the users\n";

extern "C" fn on_segfault(_: libc::c_int) {
    let words = SEGFAULT_REPORT.as_bytes();
    // SAFETY: the call may be made in a handler, and is given a text that is always there, and its length.
    unsafe { libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len()) };
    // The instruction is tried again when the handler is done, and then it kills.
    restore_default(Signal::SIGSEGV);
}

/// Has this process ignore the request to end, as a program does that wants to finish first.
pub fn ignore_sigterm() {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(ignore);
}

/// Runs `last` when this process ends in order; once.
pub fn at_exit(last: impl FnOnce() + Send + 'static) {
    type Last = std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>;
    static LAST: Last = Last::new(None);
    extern "C" fn run() {
        if let Some(last) = LAST.lock().ok().and_then(|mut last| last.take()) {
            last();
        }
    }
    *LAST.lock().expect("nobody panics with it") = Some(Box::new(last));
    // SAFETY: the function is there as long as the process is, and does not unwind: a panic in it aborts.
    assert_eq!(unsafe { libc::atexit(run) }, 0, "there is room for one more");
}

/// Makes a system call with arguments that are never right, but for the second, and says if it was forbidden: any
/// other error means that the kernel has looked at them.
pub fn call_with_nonsense(number: i64, second: i64) -> io::Result<()> {
    // SAFETY: no address of ours is among them, and no descriptor, process or user is numbered so; callers name no call
    // that is without arguments.
    let done = unsafe { libc::syscall(number, -1_i64, second, -1_i64, -1_i64, -1_i64, -1_i64) };
    let why = io::Error::last_os_error();
    if done == -1 && why.raw_os_error() == Some(libc::EPERM) { Err(why) } else { Ok(()) }
}

/// Which version of Landlock the kernel has; less than one if it has none.
pub fn landlock_version() -> i64 {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call takes no rules, and tells a number.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) }
}

/// From now on a signal interrupts this process's slow system calls every `period_us` microseconds, without restart.
pub fn interrupt_every(period_us: i64) {
    let handle = SigAction::new(SigHandler::Handler(on_alarm), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it may run at any point of any thread.
    unsafe { sigaction(Signal::SIGALRM, &handle) }.expect("SIGALRM may be handled");
    let period = libc::timeval { tv_sec: 0, tv_usec: period_us };
    let timer = libc::itimerval { it_interval: period, it_value: period };
    // SAFETY: both pointers are valid for the length of the call; the second may be null.
    let rc = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    assert_eq!(rc, 0, "an interval timer can be set");
}

/// Sends a signal to a process that is ours, dead or alive, and has not been reaped.
pub fn signal(process: u32, signal: Signal) {
    kill(Pid::from_raw(process as i32), signal).expect("it is ours and not reaped");
}

/// Changes the environment of this process; `None` removes.
pub fn set_variable(name: &str, value: Option<&str>) {
    // SAFETY: the other threads of a case are those of its pools, which read the environment by the same library, and
    // behind its lock.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

/// Whether the C library knows this thread by its right number, and the kernel its locks: what `fork` sees to in a
/// child.
pub fn is_known_to_the_c_library() -> bool {
    struct Thread(libc::pthread_t);
    // SAFETY: it is a number by which any thread may name this one.
    unsafe impl Send for Thread {}
    // SAFETY: asks for nothing but the number.
    let this = Thread(unsafe { libc::pthread_self() });
    let signal = move || {
        let Thread(thread) = { this };
        // SAFETY: the thread waits for this one, so it exists; signal zero is none.
        unsafe { libc::pthread_kill(thread, 0) }
    };
    let signalled = std::thread::scope(|scope| scope.spawn(signal).join().expect("no panic"));
    let (mut locks, mut len) = (std::ptr::null_mut::<libc::c_void>(), 0_usize);
    // SAFETY: the kernel writes to these two variables; zero means this thread.
    let asked = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut locks, &raw mut len) };
    (signalled, asked) == (0, 0) && !locks.is_null()
}

/// Starts a thread before `main` in processes that are told to: as a library does that has a constructor for it.
#[used]
// SAFETY: the section holds pointers to functions of this type, and this one does not unwind.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// What a static initializer has seen of the variable `LOKY_TESTS_SEEN_BEFORE_MAIN`.
pub fn seen_before_main() -> Option<std::ffi::OsString> {
    SEEN.get().cloned()
}

static SEEN: std::sync::OnceLock<std::ffi::OsString> = std::sync::OnceLock::new();

extern "C" fn before_main() {
    if let Some(value) = std::env::var_os("LOKY_TESTS_SEEN_BEFORE_MAIN") {
        let _ = SEEN.set(value);
    }
    if std::env::var_os("LOKY_TESTS_THREAD_BEFORE_MAIN").is_some() {
        std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_secs(1000)));
    }
    if let Some(count) = std::env::var_os("LOKY_TESTS_INTERRUPTED_AT_START") {
        interrupt_at_start(count.as_ref());
    }
    if let Some(count) = std::env::var_os(EXIT_AT_START) {
        note_start(count.as_ref());
        exit_now(1);
    }
}

/// The variable that has processes end with code 1 before `main`, and names the file in which each leaves a byte.
pub const EXIT_AT_START: &str = "LOKY_TESTS_EXIT_AT_START";

/// Leaves a byte in the file; gives how many there are.
fn note_start(count: &std::path::Path) -> u64 {
    let file = std::fs::File::options().create(true).append(true).open(count);
    let mut file = file.expect("the case names a file");
    std::io::Write::write_all(&mut file, b".").expect("there is room");
    file.metadata().expect("it is open").len()
}

/// The first few processes that come here die of Ctrl-C, as by default.
fn interrupt_at_start(count: &std::path::Path) {
    if note_start(count) <= INTERRUPTED_AT_START {
        restore_default(Signal::SIGINT);
        raise(Signal::SIGINT);
    }
}

/// More than the failed launches in a row after which a pool gives up.
pub const INTERRUPTED_AT_START: u64 = 7;

static COUNTED: AtomicU32 = AtomicU32::new(0);

/// Written before any such signal comes, and only read afterwards.
static BEFORE: std::sync::Mutex<Option<extern "C" fn(libc::c_int)>> = std::sync::Mutex::new(None);

extern "C" fn on_passed_on(signal: libc::c_int) {
    COUNTED.fetch_add(1, Ordering::SeqCst);
    if let Ok(Some(before)) = BEFORE.try_lock().as_deref() {
        before(signal);
    }
}

extern "C" fn on_counted(_: libc::c_int) {
    COUNTED.fetch_add(1, Ordering::SeqCst);
}

/// Maps memory without a file, and fills so much of it; it is never given back.
pub fn map(len: usize, filled: usize, is_shared: bool) {
    let kind = if is_shared { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = kind | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: the kernel chooses a place where nothing is.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), len, access, flags, -1, 0) };
    assert!(start != libc::MAP_FAILED && filled <= len, "memory can be mapped");
    // SAFETY: it has just been mapped, writable and at least so long.
    unsafe { std::ptr::write_bytes(start.cast::<u8>(), 1, filled) };
}

extern "C" fn on_alarm(_: libc::c_int) {}

/// What a fork exits with if it panicked.
const PANICKED: i32 = 101;
