//! What only a driver and its agents know.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

/// Bytes that nobody can guess, made for one run of one program.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl Secret {
    pub(crate) fn new() -> io::Result<Self> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(super) fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bytes: Vec<u8> = digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        (text.len() == 64).then(|| bytes.try_into().ok().map(Self)).flatten()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn it_is_written_and_read() {
        let secret = Secret::new().unwrap();
        assert_ne!(secret, Secret::new().unwrap());
        assert_eq!(Secret::from_hex(&secret.to_hex()), Some(secret));
        let wrong = ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)];
        assert!(wrong.into_iter().all(|text| Secret::from_hex(text).is_none()));
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(format!("{:?}", Secret([0x41; 32])), "Secret");
    }
}
