//! Without any launcher: the user says where the program listens, starts its agents, by `ssh` for instance, and gives all of
//! them one secret.
//!
//! ```text
//! LOKY_CLUSTER=listen:10.0.0.1:7000 LOKY_CLUSTER_SECRET_FILE=~/.loky-secret ./program
//! LOKY_AGENT=10.0.0.1:7000 LOKY_CLUSTER_SECRET_FILE=~/.loky-secret ./program          # on each machine
//! ```
//!
//! The secret is 64 hexadecimal digits, in a file that is its owner's alone, or in a variable. Neither is left in the
//! environment, which whatever this process starts would inherit.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::invitation::{Invitation, REACH_MAX};
use super::secret::Secret;
use crate::env;

/// The secret and a line break are shorter.
const FILE_MAX: u64 = 1000;

/// How an agent that was started by hand reaches its driver.
pub(super) fn invitation(addresses: &str) -> Result<Invitation, String> {
    let addresses: Result<Vec<_>, _> = addresses.split(',').map(|address| parse(address, env::AGENT)).collect();
    Ok(Invitation { addresses: addresses?, secret: secret()?, node: 0, share: 1, until: Some(REACH_MAX), file: None })
}

fn parse(address: &str, variable: &str) -> Result<SocketAddr, String> {
    let wrong =
        |_| format!("the variable {variable} has {address:?}, which is no address with a port, such as 10.0.0.1:7000");
    address.trim().parse().map_err(wrong)
}

/// What the user has given to both sides.
pub(super) fn secret() -> Result<Secret, String> {
    if let Some(text) = env::cluster_secret() {
        let wrong = || format!("the variable {} has no 64 hexadecimal digits", env::CLUSTER_SECRET);
        return Secret::from_hex(text.trim()).ok_or_else(wrong);
    }
    let path = env::cluster_secret_file().ok_or_else(|| {
        let (value, file) = (env::CLUSTER_SECRET, env::CLUSTER_SECRET_FILE);
        format!(
            "a cluster that is started by hand needs a secret: set {value}, or {file} to the path of a file that has it"
        )
    })?;
    from_file(&path).map_err(|why| format!("the secret in {} cannot be used: {why}", path.display()))
}

fn from_file(path: &Path) -> Result<Secret, String> {
    let about = fs::metadata(path).map_err(|why| why.to_string())?;
    if about.mode() & 0o077 != 0 {
        return Err("others may read it; `chmod 600` makes it its owner's".to_string());
    }
    if about.len() > FILE_MAX {
        return Err("it is too long".to_string());
    }
    let text = fs::read_to_string(path).map_err(|why| why.to_string())?;
    Secret::from_hex(text.trim()).ok_or_else(|| "it does not have 64 hexadecimal digits".to_string())
}
