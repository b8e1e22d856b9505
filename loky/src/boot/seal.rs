//! Hides the secret from whoever listens on the way: launchers carry what they are given in the clear.
//!
//! Slurm's own messages are signed and not encrypted, and a home on NFS is as open. Where munge runs, as on most clusters
//! of Slurm, it seals the secret so that only this user can open it, on machines with the same key. It protects nothing
//! else here: whether a driver or an agent is the right one is proved by TLS, so a seal that is used twice, or too late, is
//! as good as a fresh one.

use super::secret::Secret;
use crate::sys::{munge, process};

/// A secret as text.
pub(super) struct Sealed {
    pub(super) text: String,
    /// Why it is not hidden, if it is not.
    pub(super) bare: Option<String>,
}

const HIDDEN: &str = "munge:";
const BARE: &str = "bare:";

pub(super) fn seal(secret: &Secret) -> Sealed {
    match munge::encode(&secret.0, process::user_id()) {
        Ok(credential) => Sealed { text: format!("{HIDDEN}{credential}"), bare: None },
        Err(why) => Sealed { text: format!("{BARE}{}", secret.to_hex()), bare: Some(why) },
    }
}

pub(super) fn unseal(text: &str) -> Result<Secret, String> {
    if let Some(hex) = text.strip_prefix(BARE) {
        return Secret::from_hex(hex).ok_or_else(|| "the secret in it is not one".to_owned());
    }
    let credential = text.strip_prefix(HIDDEN).ok_or("it is sealed in an unknown way")?;
    let bytes = munge::decode(credential).map_err(|why| format!("munge does not open it: {why}"))?;
    bytes.try_into().map(Secret).map_err(|_| "what munge has opened is no secret".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With munge or without it, whatever is on this machine.
    #[test]
    fn what_is_sealed_can_be_opened() {
        let secret = Secret([7; 32]);
        let sealed = seal(&secret);
        assert_eq!(sealed.bare.is_some(), sealed.text.starts_with(BARE));
        assert_eq!(sealed.bare.is_none(), !sealed.text.contains(&secret.to_hex()));
        assert_eq!(unseal(&sealed.text), Ok(secret));
    }

    #[test]
    fn what_is_not_sealed_by_us_is_refused() {
        for text in ["", "bare:", "bare:00", "munge:", "munge:x", "munge:MUNGE:AwQFAAB:", "none:"] {
            assert!(unseal(text).is_err(), "{text}");
        }
    }
}
