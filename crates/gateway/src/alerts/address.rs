//! Which addresses of the internet a webhook or a push service may be at: public ones, and no other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// Ports of webhooks and push services.
const PORTS: [u16; 2] = [443, 8_443];

/// Why a receiver may not be there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no URL, or one that nothing is posted to.
    #[error("a receiver is a URL that begins with https://, with a host, at port 443 or 8443, without a name or password")]
    Url,
    /// Nobody knows the name.
    #[error("the host of the receiver is not known")]
    Unknown,
    /// It is no public address.
    #[error("the receiver's host is at an address that is not public")]
    Private,
}

/// Where receivers may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Encrypted, at public addresses.
    Public,
    /// Anywhere: for a gateway and receivers on one machine.
    Anywhere,
}

impl Reach {
    /// A URL that something may be posted to, as far as it tells itself.
    ///
    /// # Errors
    /// `Url`, `Private`.
    pub fn url(self, text: &str) -> Result<Url, Unfit> {
        let url = Url::parse(text).map_err(|_| Unfit::Url)?;
        let plain = url.username().is_empty() && url.password().is_none();
        let schemes: &[&str] = match self {
            Self::Public => &["https"],
            Self::Anywhere => &["https", "http"],
        };
        let port = url.port_or_known_default().ok_or(Unfit::Url)?;
        let ported = self == Self::Anywhere || PORTS.contains(&port);
        if !plain || !schemes.contains(&url.scheme()) || url.host_str().is_none() || !ported {
            return Err(Unfit::Url);
        }
        if let Some(address) = literal(&url) {
            self.check(address)?;
        }
        Ok(url)
    }

    /// The addresses of a URL's host, looked up now, every one of them fit.
    ///
    /// # Errors
    /// `Unknown`, `Private`.
    pub async fn resolve(self, url: &Url) -> Result<Vec<SocketAddr>, Unfit> {
        let port = url.port_or_known_default().ok_or(Unfit::Url)?;
        if let Some(address) = literal(url) {
            self.check(address)?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let host = url.host_str().ok_or(Unfit::Url)?;
        let found = tokio::net::lookup_host((host, port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| Unfit::Unknown)?.collect();
        self.all(found)
    }

    /// These, if every one of them is fit.
    ///
    /// # Errors
    /// `Unknown`, `Private`.
    pub fn all(self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Unfit> {
        if found.is_empty() {
            return Err(Unfit::Unknown);
        }
        for address in &found {
            self.check(address.ip())?;
        }
        Ok(found)
    }

    fn check(self, address: IpAddr) -> Result<(), Unfit> {
        match self == Self::Anywhere || is_public(address) {
            true => Ok(()),
            false => Err(Unfit::Private),
        }
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Whether an address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => is_public_four(four),
        IpAddr::V6(six) => is_public_six(six),
    }
}

const fn is_public_four(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 175, 48)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

/// Global unicast without what leads elsewhere: addresses that hold one of IPv4, tunnels, documentation.
const fn is_public_six(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let special = matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002 | 0x3fff, _));
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::5",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn a_receiver_is_a_plain_url_of_the_web() {
        for good in [
            "https://example.org/hook?x=1",
            "https://example.org:8443/",
            "https://1.1.1.1/",
        ] {
            assert!(Reach::Public.url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "nowhere",
            "http://example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://name@example.org/",
            "https://name:word@example.org/",
            "https://example.org:22/",
        ] {
            assert_eq!(Reach::Public.url(bad), Err(Unfit::Url), "{bad}");
        }
        for private in [
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1:8443/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
        ] {
            assert_eq!(Reach::Public.url(private), Err(Unfit::Private), "{private}");
            assert!(Reach::Anywhere.url(private).is_ok(), "{private}");
        }
    }

    #[tokio::test]
    async fn a_name_with_one_private_address_is_not_public() {
        let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
        let both = vec![at("1.1.1.1:443"), at("10.0.0.1:443")];
        assert_eq!(Reach::Public.all(both), Err(Unfit::Private));
        assert_eq!(Reach::Public.all(Vec::new()), Err(Unfit::Unknown));
        assert!(Reach::Public.all(vec![at("1.1.1.1:443")]).is_ok());
        let here = Url::parse("https://localhost/").unwrap();
        let found = Reach::Public.resolve(&here).await;
        assert!(
            matches!(found, Err(Unfit::Private | Unfit::Unknown)),
            "{found:?}"
        );
    }
}
