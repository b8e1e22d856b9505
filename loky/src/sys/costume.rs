//! Gives a process what a new program is started with: its standard streams, its directory, its title in `ps`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::libc;
use nix::unistd::{chdir, dup2_stderr, dup2_stdout, fchdir, pipe2};

/// The directory in which this process is now, so that another one can be brought there.
pub(crate) fn here() -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(".")?.into())
}

/// Goes to a directory, and from there to `next`.
pub(crate) fn go(to: impl AsFd, next: Option<&Path>) -> io::Result<()> {
    fchdir(to)?;
    if let Some(next) = next {
        chdir(next)?;
    }
    Ok(())
}

/// From now on this process writes its standard output and standard error there.
pub(crate) fn put_on_streams(output: impl AsFd, error: impl AsFd) -> io::Result<()> {
    dup2_stdout(output)?;
    dup2_stderr(error)?;
    Ok(())
}

/// Where what is written is lost.
pub(crate) fn nowhere() -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().write(true).open("/dev/null")?.into())
}

/// A pipe: where to read, without blocking, and where to write.
pub(crate) fn pipe() -> io::Result<(File, OwnedFd)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    super::socket::set_nonblocking(&reader)?;
    Ok((reader.into(), writer))
}

/// Where the first argument of this process lies, which `ps` shows.
#[derive(Debug)]
pub(crate) struct Title {
    start: usize,
    len: usize,
}

impl Title {
    /// An error if the kernel does not tell.
    pub(crate) fn find() -> io::Result<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        // The name, in parentheses, may hold anything, parentheses and spaces included.
        let after_name = stat.rfind(')').map_or("", |end| &stat[end + 1..]);
        let start = after_name.split_ascii_whitespace().nth(START_OF_ARGUMENTS).and_then(|field| field.parse().ok());
        let start = start.filter(|&start| start != 0).ok_or_else(|| io::Error::other("no place of the arguments"))?;
        let start: *const libc::c_char = std::ptr::with_exposed_provenance(start);
        // SAFETY: the kernel tells where it has put the first argument, which ends with a zero and stays there as long
        // as the process lives.
        let len = unsafe { std::ffi::CStr::from_ptr(start) }.to_bytes().len();
        Ok(Self { start: start.expose_provenance(), len })
    }

    /// Writes as much of `title` as there is room for. For a process of one thread: others could be reading it.
    pub(crate) fn set(&self, title: &str) {
        let title: Vec<u8> = title.bytes().filter(|&byte| byte != 0).take(self.len).collect();
        let place: *mut u8 = std::ptr::with_exposed_provenance_mut(self.start);
        // SAFETY: so many bytes lie there, writable as the whole stack is, with a zero behind them; no thread is there
        // that could read them now, and nobody keeps a reference to them: the library that knows the place copies what
        // it is asked for.
        unsafe {
            place.write_bytes(0, self.len);
            place.copy_from_nonoverlapping(title.as_ptr(), title.len());
        }
    }
}

/// The place of `arg_start` among the fields of `/proc/self/stat` that follow the name: the manual counts it as 48.
const START_OF_ARGUMENTS: usize = 48 - 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_where_the_first_argument_is() {
        let title = Title::find().unwrap();
        assert_eq!(title.len, std::env::args_os().next().unwrap().len());
    }
}
