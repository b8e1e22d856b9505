//! A descriptor as a value that travels.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::passing::{self, Name};

/// An open file, socket or pipe that travels: as an argument of a task, in a capture or in a result, also inside of
/// structures and collections.
///
/// What the other process gets is a duplicate: both refer to the same open file, with the same position and flags, and
/// each is closed for itself. It is decoded once: in the worker it is the task's alone. This process holds a duplicate
/// until the call has ended, for it may have to be tried again; so the other end of a pipe or socket sees no end of file
/// before that. In a [`closure!`](crate::closure!) for several items capture a reference to it, not the value, which
/// would be decoded for each item.
///
/// # Errors
///
/// A call is over with [`ErrorKind::OutOfResources`](crate::ErrorKind::OutOfResources) if the sender or the receiver has
/// too many open files. Elsewhere than in a call, its `Serialize` and `Deserialize` fail.
///
/// # If the worker dies
///
/// Its duplicate is closed; this process's is there until the call has ended, so a [retry](crate::Call::retries) is given
/// the same open file, at the position where the dead one left it.
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use std::io::Read;
///
/// use loky::Fd;
/// use loky::prelude::*;
///
/// #[loky::task]
/// fn count_lines(file: Fd) -> Result<usize, String> {
///     let mut text = String::new();
///     File::from(file).read_to_string(&mut text).map_err(|why| why.to_string())?;
///     Ok(text.lines().count())
/// }
///
/// # loky::main! { fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let lines = count_lines.run(Fd::from(File::open("Cargo.toml")?))??;
/// assert!(lines > 10);
/// # Ok(()) } }
/// ```
#[derive(Debug)]
pub struct Fd(OwnedFd);

impl Fd {
    /// Another descriptor of the same open file.
    ///
    /// # Errors
    ///
    /// This process has too many open files.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

macro_rules! convert {
    ($($Kind:ty),*) => {$(
        impl From<$Kind> for Fd {
            fn from(kind: $Kind) -> Self {
                Self(kind.into())
            }
        }

        /// Nobody has looked whether it is one.
        impl From<Fd> for $Kind {
            fn from(fd: Fd) -> Self {
                fd.0.into()
            }
        }
    )*};
}

convert!(File, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream);

impl From<OwnedFd> for Fd {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Fd> for OwnedFd {
    fn from(fd: Fd) -> Self {
        fd.0
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Serialize for Fd {
    /// # Errors
    ///
    /// Unless it is an argument or a result of a task that is encoded.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (is_new, id) = match passing::enclose_fd(&self.0).map_err(S::Error::custom)? {
            Name::New(id) => (true, id),
            Name::Given(id) | Name::Parents(id) => (false, id),
        };
        (is_new, id).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fd {
    /// # Errors
    ///
    /// Unless it is an argument or a result of a task that is decoded, for the first time.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (is_new, id) = <(bool, u64)>::deserialize(deserializer)?;
        let name = if is_new { Name::New(id) } else { Name::Given(id) };
        passing::take_fd(name).map(Self).map_err(D::Error::custom)
    }
}
