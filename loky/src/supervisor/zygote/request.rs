//! What a zygote is asked for: the parts of a recipe that a copy does not have by itself, as bytes.
//!
//! Lengths first, then what they count. Both sides are the same build on the same machine, so no more is needed; what
//! cannot be read is refused all the same.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What a copy of the zygote shall be. Descriptors travel beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Shown by `ps`.
    pub(crate) title: String,
    /// Changes to the environment of the zygote, in order; `None` removes.
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    /// Where to go from the directory that travels beside this.
    pub(crate) current_dir: Option<PathBuf>,
}

impl Request {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        put(&mut out, self.title.as_bytes());
        put_option(&mut out, self.current_dir.as_ref().map(|dir| dir.as_os_str()));
        for (name, value) in &self.environment {
            put(&mut out, name.as_bytes());
            put_option(&mut out, value.as_deref());
        }
        out
    }

    /// `None`: this is no request.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let title = String::from_utf8(take(&mut bytes)?.to_vec()).ok()?;
        let current_dir = take_option(&mut bytes)?.map(PathBuf::from);
        let mut environment = Vec::new();
        while !bytes.is_empty() {
            let name = OsString::from_vec(take(&mut bytes)?.to_vec());
            environment.push((name, take_option(&mut bytes)?));
        }
        Some(Self { title, environment, current_dir })
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn put_option(out: &mut Vec<u8>, text: Option<&OsStr>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put(out, text.as_bytes());
    }
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (taken, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn take_option(bytes: &mut &[u8]) -> Option<Option<OsString>> {
    let (&is_some, rest) = bytes.split_first()?;
    *bytes = rest;
    match is_some {
        0 => Some(None),
        1 => Some(Some(OsString::from_vec(take(bytes)?.to_vec()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'=']);
        let environment = vec![("SET".into(), Some(odd)), ("REMOVED".into(), None), ("".into(), Some("".into()))];
        Request { title: "worker 0 of pool".into(), environment, current_dir: Some("/a place".into()) }
    }

    #[test]
    fn a_request_survives_the_journey() {
        for request in [request(), Request::default()] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
    }

    #[test]
    fn a_request_that_was_cut_is_none_or_another() {
        let (request, bytes) = (request(), request().encode());
        for len in 0..bytes.len() {
            assert_ne!(Request::decode(&bytes[..len]), Some(request.clone()), "cut after {len} bytes");
        }
        assert_eq!(Request::decode(&u64::MAX.to_le_bytes()), None);
    }
}
