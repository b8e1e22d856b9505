//! A terminal, and a program in its foreground: what is typed there reaches the program as the system has it.
#![expect(unsafe_code, reason = "a session begins between fork and exec")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use nix::fcntl::OFlag;
use nix::libc;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::unistd::setsid;

/// See the module.
#[derive(Debug)]
pub struct Terminal {
    program: Child,
    keyboard: File,
    said: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Starts a program in the foreground of a new terminal.
    pub fn start(program: Command) -> Self {
        Self::start_wide(program, 80)
    }

    /// The same in one that is so many characters wide.
    pub fn start_wide(mut program: Command, columns: u16) -> Self {
        let (keyboard, theirs) = open().expect("a terminal can be made");
        resize(&theirs, columns);
        let theirs = || theirs.try_clone().expect("descriptors are left");
        program.stdin(theirs()).stdout(theirs()).stderr(theirs());
        // SAFETY: both are system calls, which may be made between fork and exec, and take no memory.
        unsafe {
            program.pre_exec(|| {
                setsid()?;
                if libc::ioctl(0, libc::TIOCSCTTY, 0) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
            })
        };
        let child = program.spawn().expect("the program starts");
        // What is left of the program's end here would keep the screen open.
        drop(program);
        let (screen, said) = (keyboard.try_clone().expect("descriptors are left"), Arc::default());
        let reader = thread::spawn({
            let said = Arc::clone(&said);
            move || read(screen, &said)
        });
        Self { program: child, keyboard, said, reader }
    }

    /// Types something: `\x03` is Ctrl-C.
    pub fn types(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("the terminal is there");
    }

    /// What is on the screen.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits for the end of the program, and of all that write to the terminal. Returns the signal that has ended it,
    /// and what was on the screen then.
    pub fn ends(mut self) -> (Option<i32>, String) {
        let status = self.program.wait().expect("the program is ours");
        drop(self.keyboard);
        self.reader.join().expect("no panic");
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        (status.signal(), String::from_utf8_lossy(&said).into_owned())
    }
}

/// Both ends: ours, and the one that a program has.
fn open() -> std::io::Result<(File, File)> {
    let ours = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let no_controlling = OFlag::O_NOCTTY.bits();
    let theirs = File::options().read(true).write(true).custom_flags(no_controlling).open(ptsname_r(&ours)?)?;
    Ok((ours.as_fd().try_clone_to_owned()?.into(), theirs))
}

/// How many lines each has.
pub const ROWS: u16 = 200;

fn resize(terminal: &File, columns: u16) {
    let size = libc::winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is a terminal's, and the size is read before this returns.
    let done = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    assert_eq!(done, 0, "a terminal has a size");
}

/// Until nobody has the terminal any more, which is an error here.
fn read(mut screen: File, said: &Mutex<Vec<u8>>) {
    let mut bytes = [0; 512];
    while let Ok(len @ 1..) = screen.read(&mut bytes) {
        said.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..len]);
    }
}
