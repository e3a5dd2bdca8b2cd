//! Web Push: letters encrypted for one browser (RFC 8291), handed to its push service (RFC 8030), which is told by a
//! signed token who sends them (RFC 8292).

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use p256::{PublicKey, SecretKey};
use rand::rngs::OsRng;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use utoipa::ToSchema;
use web_push_native::Auth;

use crate::store::subscriptions::Letter;

/// Bytes of the secret that a browser shares.
const AUTH_BYTES: usize = 16;
/// How long a push service keeps a letter for a browser that is not there, seconds.
pub const KEPT_SECONDS: u64 = 3_600;
/// How long a token is good for, seconds; push services take no more than a day.
const TOKEN_SECONDS: u64 = 12 * 3_600;
/// Most characters of a sentence: what is sent has at most 4,096 bytes, and a character at most four.
const SENTENCE: usize = 700;

/// A browser's push subscription, as its `toJSON()` names the parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Where its push service takes letters: https, at a public address.
    pub endpoint: String,
    /// Its public key on P-256, uncompressed, base64url.
    pub p256dh: String,
    /// The secret that it shares, 16 bytes, base64url.
    pub auth: String,
}

/// Why letters cannot be encrypted for a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// The public key.
    #[error("push.p256dh: expected a public key on P-256, uncompressed, in base64url")]
    Public,
    /// The secret.
    #[error("push.auth: expected 16 bytes in base64url")]
    Secret,
    /// What the library says of the letter itself.
    #[error("the letter could not be encrypted")]
    Letter,
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    // Browsers write no padding; some libraries do.
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl Target {
    /// Its keys.
    ///
    /// # Errors
    /// `Public`, `Secret`.
    pub fn keys(&self) -> Result<(PublicKey, Auth), BadKeys> {
        let public = decoded(&self.p256dh).ok_or(BadKeys::Public)?;
        let public = PublicKey::from_sec1_bytes(&public).map_err(|_| BadKeys::Public)?;
        let secret = decoded(&self.auth).filter(|bytes| bytes.len() == AUTH_BYTES);
        let secret = Auth::from_exact_iter(secret.ok_or(BadKeys::Secret)?);
        Ok((public, secret.ok_or(BadKeys::Secret)?))
    }

    /// What a letter says, as only this browser reads it.
    ///
    /// # Errors
    /// `Public`, `Secret`, `Letter`.
    pub fn encrypt(&self, letter: &Letter) -> Result<Vec<u8>, BadKeys> {
        let (public, secret) = self.keys()?;
        let said = message(letter).into_bytes();
        web_push_native::encrypt(said, &public, &secret).map_err(|_| BadKeys::Letter)
    }
}

/// What a browser shows of a letter: its name, whether it begins, and its sentence.
fn message(letter: &Letter) -> String {
    let body: Value = serde_json::from_str(&letter.body).unwrap_or_default();
    let sentence = body["text"].as_str().unwrap_or_default();
    let sentence: String = sentence.chars().take(SENTENCE).collect();
    json!({
        "id": letter.id,
        "type": body["type"],
        "kind": body["kind"],
        "raised": body["raised"],
        "text": sentence,
    })
    .to_string()
}

/// Why the gateway's key for Web Push cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key for Web Push, {0}, cannot be read or made: {1}")]
    File(PathBuf, io::Error),
    /// Others may read it.
    #[error(
        "the key for Web Push, {0}, may be read by others: expected mode 600; run: chmod 600 {0}"
    )]
    Open(PathBuf),
    /// It holds no key.
    #[error("{0} holds no private key on P-256: expected PKCS#8 in PEM; name a file that does not exist and a key is made there")]
    NoKey(PathBuf),
}

/// The key that letters to push services are signed with: it names the gateway, and signs nothing else.
#[derive(Clone)]
pub struct PushKey {
    key: SigningKey,
    public: String,
    contact: String,
}

impl PushKey {
    /// The key of a file, which is made where there is none, readable by nobody else. `contact` is where push services
    /// reach the operator, `mailto:` or `https:`.
    ///
    /// # Errors
    /// `File`, `Open`, `NoKey`.
    pub fn open(path: &Path, contact: &str) -> Result<Self, KeyError> {
        let file = |error: io::Error| KeyError::File(path.to_owned(), error);
        let secret = if path.try_exists().map_err(file)? {
            let mode = fs::metadata(path).map_err(file)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyError::Open(path.to_owned()));
            }
            let text = fs::read_to_string(path).map_err(file)?;
            SecretKey::from_pkcs8_pem(&text).map_err(|_| KeyError::NoKey(path.to_owned()))?
        } else {
            let secret = SecretKey::random(&mut OsRng);
            let text = secret.to_pkcs8_pem(LineEnding::LF);
            let text = text.map_err(|_| KeyError::NoKey(path.to_owned()))?;
            let mut made = OpenOptions::new();
            let made = made.write(true).create_new(true).mode(0o600).open(path);
            let mut made = made.map_err(file)?;
            made.write_all(text.as_bytes()).map_err(file)?;
            made.sync_all().map_err(file)?;
            secret
        };
        let point = secret.public_key().to_encoded_point(false);
        Ok(Self {
            public: URL_SAFE_NO_PAD.encode(point.as_bytes()),
            key: SigningKey::from(&secret),
            contact: contact.to_owned(),
        })
    }

    /// Its public half, as browsers subscribe with: an uncompressed point, base64url.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The `authorization` of a letter to this endpoint at `now`, unix seconds.
    #[must_use]
    pub fn authorization(&self, endpoint: &Url, now: u64) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"typ": "JWT", "alg": "ES256"}));
        let claims = part(json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": now.saturating_add(TOKEN_SECONDS),
            "sub": self.contact,
        }));
        let told = format!("{header}.{claims}");
        let signature: Signature = self.key.sign(told.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={told}.{signature}, k={}", self.public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Verifier;
    use p256::ecdsa::VerifyingKey;

    fn letter(text: &str) -> Letter {
        Letter {
            id: "a:1".to_owned(),
            subscription: "a".to_owned(),
            made: 0,
            body:
                json!({"type": "alert", "kind": "light", "raised": true, "text": text, "slot": 5})
                    .to_string(),
            raised: None,
        }
    }

    /// A browser: its private key and secret, and what it tells.
    fn browser() -> (SecretKey, Auth, Target) {
        let secret = SecretKey::random(&mut OsRng);
        let point = secret.public_key().to_encoded_point(false);
        let auth = Auth::from([7; AUTH_BYTES]);
        let target = Target {
            endpoint: "https://push.example/x".to_owned(),
            p256dh: URL_SAFE_NO_PAD.encode(point.as_bytes()),
            auth: URL_SAFE_NO_PAD.encode(auth),
        };
        (secret, auth, target)
    }

    #[test]
    fn only_the_browser_reads_a_letter_and_the_longest_fits() {
        let (secret, auth, target) = browser();
        let markup = "<b>light 5</b>";
        let sealed = target.encrypt(&letter(markup)).unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"light"));
        let said = web_push_native::decrypt(sealed.clone(), &secret, &auth).unwrap();
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(said["text"], markup, "text as text");
        assert_eq!(
            (&said["id"], &said["raised"]),
            (&json!("a:1"), &json!(true))
        );
        let (other, ..) = browser();
        assert!(web_push_native::decrypt(sealed.clone(), &other, &auth).is_err());
        let wrong = Auth::from([8; AUTH_BYTES]);
        assert!(web_push_native::decrypt(sealed, &secret, &wrong).is_err());
        let longest = target.encrypt(&letter(&"\u{1f9ef}".repeat(5_000))).unwrap();
        assert!(longest.len() <= 4_096, "{}", longest.len());
    }

    #[test]
    fn keys_of_another_shape_are_refused() {
        let (.., target) = browser();
        assert!(target.keys().is_ok());
        for p256dh in ["", "!", "AAAA", &target.auth] {
            let bad = Target {
                p256dh: p256dh.to_owned(),
                ..target.clone()
            };
            assert_eq!(bad.keys(), Err(BadKeys::Public), "{p256dh}");
        }
        for auth in ["", "!", "AAAA", &target.p256dh] {
            let bad = Target {
                auth: auth.to_owned(),
                ..target.clone()
            };
            assert_eq!(bad.keys(), Err(BadKeys::Secret), "{auth}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("push.pem");
        let made = PushKey::open(&path, "mailto:a@b.example").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = PushKey::open(&path, "mailto:a@b.example").unwrap();
        assert_eq!(made.public(), again.public());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = PushKey::open(&path, "mailto:a@b.example").err().unwrap();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nothing").unwrap();
        let refused = PushKey::open(&path, "mailto:a@b.example").err().unwrap();
        assert!(matches!(refused, KeyError::NoKey(_)), "{refused}");
    }

    #[test]
    fn a_push_service_verifies_who_sends() {
        let folder = tempfile::tempdir().unwrap();
        let key = PushKey::open(&folder.path().join("k"), "mailto:a@b.example").unwrap();
        let endpoint = Url::parse("https://push.example:8443/box/17?x=1").unwrap();
        let said = key.authorization(&endpoint, 1_000);
        let (token, public) = said
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .unwrap();
        assert_eq!(public, key.public());
        let (told, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&decoded(signature).unwrap()).unwrap();
        let verifying = VerifyingKey::from_sec1_bytes(&decoded(public).unwrap()).unwrap();
        assert!(verifying.verify(told.as_bytes(), &signature).is_ok());
        assert!(verifying.verify(b"another", &signature).is_err());
        let claims = decoded(told.split_once('.').unwrap().1).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let expected = json!({
            "aud": "https://push.example:8443", "exp": 44_200, "sub": "mailto:a@b.example"
        });
        assert_eq!(claims, expected);
    }
}
