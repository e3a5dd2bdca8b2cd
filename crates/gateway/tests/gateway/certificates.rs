//! Authorities of their own, and certificates that they sign.

use p256::pkcs8::der::pem;
use p256::pkcs8::LineEnding;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Who signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM.
    pub certificate: String,
}

/// What a server shows of itself.
pub struct Identity {
    /// Its certificate, PEM.
    pub certificate: String,
    /// The key of it, PEM.
    pub key: String,
}

fn text(label: &str, der: &[u8]) -> String {
    pem::encode_string(label, LineEnding::LF, der).expect("bytes")
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: text("CERTIFICATE", certificate.der()),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for a host.
    pub fn certify(&self, host: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer);
        Identity {
            certificate: text("CERTIFICATE", certificate.expect("a certificate").der()),
            key: text("PRIVATE KEY", key.serialized_der()),
        }
    }
}
