//! Who may speak to whom: TLS 1.3 on both sides, from one secret that a program and its agents have.
//!
//! From the secret both sides make the same key of an authority, and each issues itself a certificate by it, for a key of
//! its own that it forgets with the process. So a stranger can neither join nor listen, and yet the proofs are the
//! library's: nothing about checking a certificate is written here. What a driver's side shows serves no agent, and the
//! other way round.

mod der;
mod identity;

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use self::identity::{Authority, Purpose};
use crate::boot::Secret;

/// What the certificate of the driver's side names. It is no host: what is proven is that both have the secret.
const NAME: &str = "driver.loky.invalid";

/// The side that waits for connections.
pub(super) fn server(secret: &Secret) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(default_provider());
    let (roots, authority) = roots(secret, &provider)?;
    let (chain, key) = authority.issue(Purpose::Server, NAME, &provider)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let verifier = verifier.build().map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    let config = config.map_err(io::Error::other)?.with_client_cert_verifier(verifier);
    let mut config = config.with_single_cert(vec![chain], key).map_err(io::Error::other)?;
    // Nobody comes back to an old session.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The side that connects.
pub(super) fn client(secret: &Secret) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(default_provider());
    let (roots, authority) = roots(secret, &provider)?;
    let (chain, key) = authority.issue(Purpose::Client, "agent.loky.invalid", &provider)?;
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]);
    let config = config.map_err(io::Error::other)?.with_root_certificates(roots);
    let mut config = config.with_client_auth_cert(vec![chain], key).map_err(io::Error::other)?;
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

pub(super) fn accept(config: &Arc<ServerConfig>) -> io::Result<ServerConnection> {
    ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)
}

pub(super) fn connect(config: &Arc<ClientConfig>) -> io::Result<ClientConnection> {
    let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)
}

fn roots(secret: &Secret, provider: &CryptoProvider) -> io::Result<(Arc<RootCertStore>, Authority)> {
    let authority = Authority::of(secret, provider)?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()?).map_err(io::Error::other)?;
    Ok((Arc::new(roots), authority))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use rustls::Connection;

    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret([byte; 32])
    }

    /// Carries all that either side says to the other one, until nobody says anything.
    fn talk(one: &mut Connection, other: &mut Connection) -> Result<(), rustls::Error> {
        for _ in 0..10 {
            for turn in 0..2 {
                let (from, to) = if turn == 0 { (&mut *one, &mut *other) } else { (&mut *other, &mut *one) };
                let mut bytes = Vec::new();
                while from.wants_write() {
                    from.write_tls(&mut bytes).unwrap();
                }
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    to.read_tls(&mut rest).unwrap();
                    to.process_new_packets()?;
                }
            }
        }
        Ok(())
    }

    fn meet(server_has: u8, client_has: u8) -> Result<(), rustls::Error> {
        let mut server = Connection::from(accept(&server(&secret(server_has)).unwrap()).unwrap());
        let mut client = Connection::from(connect(&client(&secret(client_has)).unwrap()).unwrap());
        talk(&mut client, &mut server)?;
        assert!(!client.is_handshaking() && !server.is_handshaking());
        assert!(server.peer_certificates().is_some());
        Ok(())
    }

    #[test]
    fn whoever_has_the_secret_is_believed_and_nobody_else() {
        meet(7, 7).unwrap();
        meet(7, 8).unwrap_err();
    }

    #[test]
    fn who_shows_nothing_does_not_come_in() {
        let provider = Arc::new(default_provider());
        let (roots, _) = roots(&secret(7), &provider).unwrap();
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let mut server = Connection::from(accept(&server(&secret(7)).unwrap()).unwrap());
        let mut client = Connection::from(connect(&config).unwrap());
        talk(&mut client, &mut server).unwrap_err();
    }

    #[test]
    fn an_agent_is_no_driver() {
        let provider = Arc::new(default_provider());
        let (roots, authority) = roots(&secret(7), &provider).unwrap();
        let (chain, key) = authority.issue(Purpose::Client, NAME, &provider).unwrap();
        let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![chain], key).unwrap());
        let mut client = Connection::from(connect(&client(&secret(7)).unwrap()).unwrap());
        let why = talk(&mut client, &mut Connection::from(accept(&config).unwrap())).unwrap_err();
        assert!(format!("{why:?}").contains("Certificate"), "{why:?}");
        drop(roots);
    }
}
