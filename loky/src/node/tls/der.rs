//! Certificates as bytes (X.509 in DER): just those that are issued here, with Ed25519 keys. Nothing here reads any.

/// One of the extensions of a certificate.
#[derive(Debug)]
pub(super) struct Extension(Vec<u8>);

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Number 0 and 3 of a certificate, and a name of a host.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

impl Extension {
    /// It may issue certificates.
    pub(super) fn authority() -> Self {
        Self::new(BASIC_CONSTRAINTS, true, &of(SEQUENCE, &of(BOOLEAN, &[0xff])))
    }

    /// It is that of a host of this name.
    pub(super) fn name(name: &str) -> Self {
        Self::new(ALTERNATIVE_NAME, false, &of(SEQUENCE, &of(DNS_NAME, name.as_bytes())))
    }

    /// It is for a server, or for a client, and for nothing else.
    pub(super) fn purpose(is_server: bool) -> Self {
        let purpose = of(OID, if is_server { SERVER } else { CLIENT });
        Self::new(EXTENDED_KEY_USAGE, false, &of(SEQUENCE, &purpose))
    }

    fn new(id: &[u8], is_critical: bool, value: &[u8]) -> Self {
        let critical = if is_critical { of(BOOLEAN, &[0xff]) } else { Vec::new() };
        Self(of(SEQUENCE, &[of(OID, id), critical, of(OCTETS, value)].concat()))
    }
}

/// What is to be signed: that `public`, a public key with its algorithm, is that of `name`.
pub(super) fn unsigned(serial: &[u8], name: &str, public: &[u8], extensions: &[Extension]) -> Vec<u8> {
    let extensions: Vec<u8> = extensions.iter().flat_map(|extension| extension.0.iter().copied()).collect();
    let fields = [
        of(VERSION, &of(INTEGER, &[2])),
        of(INTEGER, serial),
        algorithm(),
        distinguished(super::identity::AUTHORITY),
        of(SEQUENCE, &[of(UTC_TIME, b"700101000000Z"), of(GENERALIZED_TIME, b"99991231235959Z")].concat()),
        distinguished(name),
        public.to_vec(),
        of(EXTENSIONS, &of(SEQUENCE, &extensions)),
    ];
    of(SEQUENCE, &fields.concat())
}

/// The same with its signature.
pub(super) fn signed(unsigned: &[u8], signature: &[u8]) -> Vec<u8> {
    of(SEQUENCE, &[unsigned.to_vec(), algorithm(), of(BITS, &[&[0], signature].concat())].concat())
}

/// A private key (PKCS #8), of its 32 bytes.
pub(super) fn private_key(seed: &[u8]) -> Vec<u8> {
    of(SEQUENCE, &[of(INTEGER, &[0]), algorithm(), of(OCTETS, &of(OCTETS, seed))].concat())
}

fn algorithm() -> Vec<u8> {
    of(SEQUENCE, &of(OID, ED25519))
}

fn distinguished(name: &str) -> Vec<u8> {
    let attribute = [of(OID, COMMON_NAME), of(UTF8, name.as_bytes())].concat();
    of(SEQUENCE, &of(SET, &of(SEQUENCE, &attribute)))
}

/// A value of this kind.
fn of(kind: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).expect("what is issued here is short");
    let [high, low] = len.to_be_bytes();
    let head: &[u8] = match len {
        0..=0x7f => &[kind, low],
        0x80..=0xff => &[kind, 0x81, low],
        _ => &[kind, 0x82, high, low],
    };
    [head, value].concat()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_as_few_bytes_as_it_can() {
        assert_eq!(of(OCTETS, &[7; 3]), [4, 3, 7, 7, 7]);
        assert_eq!(of(OCTETS, &[7; 128])[..4], [4, 0x81, 128, 7]);
        assert_eq!(of(OCTETS, &[7; 300])[..5], [4, 0x82, 1, 44, 7]);
    }

    #[test]
    fn a_private_key_is_that_of_the_standard() {
        let start = [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, 9];
        assert_eq!(private_key(&[9; 32])[..17], start);
    }
}
