//! The authority that all who have the secret are, and the certificates that it issues.
//!
//! They are good for all times: machines of one cluster may disagree about the date, and the secret is gone with the program.

use std::io;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use super::der::{self, Extension};
use crate::boot::Secret;

/// See the module.
#[derive(Debug)]
pub(super) struct Authority(Arc<dyn SigningKey>);

/// What a certificate is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Server,
    Client,
}

/// What the secret is used for, so that another use of it would give another key.
const USE: &[u8] = b"loky: the key of the authority of one run\0";

impl Authority {
    pub(super) fn of(secret: &Secret, provider: &CryptoProvider) -> io::Result<Self> {
        let suite = TLS13_AES_128_GCM_SHA256.tls13().ok_or_else(|| io::Error::other("there is no SHA-256"))?;
        let mut hash = suite.common.hash_provider.start();
        hash.update(USE);
        hash.update(&secret.0);
        let seed = hash.finish();
        Ok(Self(key(&private(seed.as_ref()), provider)?))
    }

    /// What is trusted.
    pub(super) fn certificate(&self) -> io::Result<CertificateDer<'static>> {
        let extensions = [Extension::authority()];
        self.sign(&der::unsigned(&[1], AUTHORITY, &public(&self.0)?, &extensions))
    }

    /// A new key, and what says that it is ours.
    pub(super) fn issue(
        &self,
        purpose: Purpose,
        name: &str,
        provider: &CryptoProvider,
    ) -> io::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let (mut seed, mut serial) = ([0; 32], [0; 16]);
        let random = provider.secure_random;
        random.fill(&mut seed).and_then(|()| random.fill(&mut serial)).map_err(|_| io::Error::other(NO_RANDOM))?;
        // A positive number, of which no byte may be left out.
        serial[0] = serial[0] & 0x3f | 0x40;
        let private = private(&seed);
        let key = key(&private, provider)?;
        let extensions = [Extension::name(name), Extension::purpose(matches!(purpose, Purpose::Server))];
        let certificate = self.sign(&der::unsigned(&serial, name, &public(&key)?, &extensions))?;
        Ok((certificate, PrivateKeyDer::Pkcs8(private)))
    }

    fn sign(&self, unsigned: &[u8]) -> io::Result<CertificateDer<'static>> {
        let signer = self.0.choose_scheme(&[SignatureScheme::ED25519]);
        let signer = signer.ok_or_else(|| io::Error::other("the key of the authority cannot sign"))?;
        let signature = signer.sign(unsigned).map_err(io::Error::other)?;
        Ok(CertificateDer::from(der::signed(unsigned, &signature)))
    }
}

fn private(seed: &[u8]) -> PrivatePkcs8KeyDer<'static> {
    PrivatePkcs8KeyDer::from(der::private_key(seed))
}

fn key(private: &PrivatePkcs8KeyDer<'static>, provider: &CryptoProvider) -> io::Result<Arc<dyn SigningKey>> {
    let private = PrivateKeyDer::Pkcs8(private.clone_key());
    provider.key_provider.load_private_key(private).map_err(io::Error::other)
}

fn public(key: &Arc<dyn SigningKey>) -> io::Result<Vec<u8>> {
    let public = key.public_key().ok_or_else(|| io::Error::other("a key does not tell its public part"))?;
    Ok(public.as_ref().to_vec())
}

/// The name under which the authority is trusted.
pub(super) const AUTHORITY: &str = "loky";

const NO_RANDOM: &str = "the system gives no random numbers";
