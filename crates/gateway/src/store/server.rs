//! How a server of Postgres is reached: with TLS and a certificate that is checked, or without on this machine.
//!
//! `sslmode` of the connection string says which. `require` is what libpq calls `verify-full`: the certificate has to be
//! for the name of the server, from an authority that is trusted. `prefer`, which is the default, is `require` for
//! a server on another machine; on this one it is TLS where the server has a certificate that is trusted, and none
//! otherwise.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sql::StoreError;

/// What is expected of a connection with TLS.
const EXPECTED: &str = "expected TLS and a certificate for the name of the server, from an authority of this system or of \
     `store.postgres_ca`; `sslmode=disable` in the connection string goes without TLS";

/// A server, and how it is reached.
pub struct Server {
    config: Config,
    /// `None` where no TLS is wanted.
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// The server of a connection string; `authorities` is a file with the certificates that are trusted in the place
    /// of the system's.
    ///
    /// # Errors
    /// `Setting`. What was given is not repeated: it may hold a password.
    pub fn new(given: &str, authorities: Option<&Path>) -> Result<Self, StoreError> {
        let mut config = parsed(given)?;
        let mode = mode(&config);
        config.ssl_mode(mode);
        let tls = match mode {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(trusting(authorities)?)),
        };
        Ok(Self { config, tls })
    }

    /// Connects.
    ///
    /// # Errors
    /// When there is no server, it lets nobody in, or it has no TLS that is trusted where that is wanted.
    pub fn connect(&self) -> Result<Client, StoreError> {
        let Some(tls) = &self.tls else {
            return self.config.connect(NoTls).map_err(|error| told(&error));
        };
        let error = match self.config.connect(tls.clone()) {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let may_go_without = self.config.get_ssl_mode() == SslMode::Prefer;
        if may_go_without && is_distrust(&error) {
            tracing::debug!("no TLS to Postgres on this machine: {}", causes(&error));
            let mut without = self.config.clone();
            without.ssl_mode(SslMode::Disable);
            return without.connect(NoTls).map_err(|error| told(&error));
        }
        Err(told(&error))
    }
}

/// A connection string.
fn parsed(given: &str) -> Result<Config, StoreError> {
    let renamed = || given.replace("sslmode=verify-full", "sslmode=require");
    let config = given.parse().or_else(|_| renamed().parse());
    // What a parser says may repeat a part of a password.
    config.map_err(|_: postgres::Error| {
        StoreError::Setting(
            "the connection string of Postgres is not understood: expected `host=HOST user=USER dbname=NAME \
             password=PASSWORD sslmode=MODE` or `postgres://USER:PASSWORD@HOST/NAME?sslmode=MODE`, where MODE is disable, \
             prefer, require or verify-full; a file with certificates that are trusted is `store.postgres_ca`"
                .to_owned(),
        )
    })
}

/// Whether TLS is wanted; a socket has none.
fn mode(config: &Config) -> SslMode {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let sockets = hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    let here = match addresses {
        [] => hosts.iter().all(is_here),
        // These are connected to, whatever the hosts are called.
        addresses => addresses.iter().all(is_loopback),
    };
    match config.get_ssl_mode() {
        _ if sockets && addresses.is_empty() => SslMode::Disable,
        SslMode::Prefer if !here => SslMode::Require,
        given => given,
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| is_loopback(&address))
        }
        Host::Unix(_) => true,
    }
}

fn is_loopback(address: &IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// TLS that trusts the authorities of a file, or those of the system.
fn trusting(authorities: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let refused = |why: String| {
                StoreError::Setting(format!(
                    "store.postgres_ca {}: {why}; expected a file with certificates of authorities in PEM",
                    path.display()
                ))
            };
            let certificates = CertificateDer::pem_file_iter(path);
            for certificate in certificates.map_err(|error| refused(error.to_string()))? {
                let certificate = certificate.map_err(|error| refused(error.to_string()))?;
                let added = roots.add(certificate);
                added.map_err(|error| refused(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(refused("no certificate in it".to_owned()));
            }
        }
        // Where the system has none, no certificate is trusted.
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Setting(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Whether TLS ended because of what the server showed.
fn is_distrust(error: &postgres::Error) -> bool {
    let cause = core::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    let inner = cause.and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
}

/// Why there is no connection.
fn told(error: &postgres::Error) -> StoreError {
    StoreError::Refused(match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => {
            let causes = causes(error);
            match causes.contains("TLS") {
                true => format!("{causes}; {EXPECTED}"),
                false => causes,
            }
        }
    })
}

/// An error and what caused it.
fn causes(error: &postgres::Error) -> String {
    let mut said = error.to_string();
    let mut cause = core::error::Error::source(error);
    while let Some(inner) = cause {
        said = format!("{said}: {inner}");
        cause = inner.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(given: &str) -> SslMode {
        mode(&parsed(given).expect(given))
    }

    #[test]
    fn nothing_goes_to_another_machine_without_tls_unless_that_is_said() {
        for far in [
            "host=db.example",
            "host=db.example sslmode=prefer",
            "host=10.0.0.7",
            "host=localhost.example",
            "host=localhost,db.example",
            "host=localhost hostaddr=10.0.0.7",
            "host=/run/postgresql hostaddr=10.0.0.7",
            "host=/run/postgresql,db.example",
            "hostaddr=0.0.0.0",
            "postgres://ballast:word@db.example/ballast",
            "postgresql://db.example?sslmode=verify-full",
            "host=localhost sslmode=require",
            "host=localhost sslmode=verify-full",
        ] {
            assert_eq!(mode_of(far), SslMode::Require, "{far}");
        }
        for here in [
            "host=localhost",
            "host=127.0.0.1 sslmode=prefer",
            "host=::1",
            "host=/run/postgresql,localhost",
            "host=db.example hostaddr=127.0.0.2",
            "hostaddr=::ffff:127.0.0.1",
        ] {
            assert_eq!(mode_of(here), SslMode::Prefer, "{here}");
        }
        for without in [
            "host=db.example sslmode=disable",
            "host=/run/postgresql",
            "host=/run/postgresql sslmode=require",
            "postgres://db.example/ballast?sslmode=disable",
        ] {
            assert_eq!(mode_of(without), SslMode::Disable, "{without}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_repeated() {
        for given in [
            "host=db.example sslmode=sometimes",
            "host=db.example sslrootcert=ca.pem",
            "host=db.example password=two words=secret",
        ] {
            let refused = Server::new(given, None).err().expect(given).to_string();
            assert!(refused.contains("verify-full"), "{refused}");
            assert!(refused.contains("store.postgres_ca"), "{refused}");
            assert!(!refused.contains("words"), "{refused}");
        }
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let refused = || {
            let server = Server::new("host=db.example", Some(&path));
            server.err().expect("no authority").to_string()
        };
        assert!(refused().contains("ca.pem"), "{}", refused());
        for (text, why) in [
            ("", "no certificate in it"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "expected a file with certificates",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(refused().contains(why), "{}", refused());
        }
    }
}
