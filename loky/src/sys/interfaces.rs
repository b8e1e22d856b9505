//! Under which addresses this machine is known to others.

use std::io;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// Those of all interfaces that are up; the ones by which only this machine reaches itself come last. Addresses that mean
/// something only together with an interface are not among them.
pub(crate) fn addresses() -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<(bool, IpAddr)> = Vec::new();
    for interface in getifaddrs()?.filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP)) {
        let Some(address) = interface.address else { continue };
        let ip = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
            (Some(address), _) => IpAddr::V4(address.ip()),
            (_, Some(address)) => IpAddr::V6(address.ip()),
            _ => continue,
        };
        let is_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        if !is_local && !found.contains(&(ip.is_loopback(), ip)) {
            found.push((ip.is_loopback(), ip));
        }
    }
    found.sort_by_key(|(is_loopback, _)| *is_loopback);
    Ok(found.into_iter().map(|(_, ip)| ip).collect())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_machine_reaches_itself_last_of_all() {
        let all = addresses().unwrap();
        let first_loopback = all.iter().position(IpAddr::is_loopback).unwrap();
        assert!(all[first_loopback..].iter().all(IpAddr::is_loopback), "{all:?}");
    }
}
