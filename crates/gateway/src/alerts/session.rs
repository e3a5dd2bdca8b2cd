//! Who subscribes: whoever signs a text with the wallet of a trader account.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ballast_state::Pubkey;
use rand::rngs::OsRng;
use rand::RngCore;
use sha2::{Digest, Sha256};
use solana_signature::Signature;

use ballast_view::staged::hex;

/// For how long a text may be signed.
const TO_SIGN: Duration = Duration::from_secs(300);
/// For how long a session lasts.
const LASTS: Duration = Duration::from_secs(3_600);
/// Most texts that wait for a signature, and most sessions.
const MOST: usize = 20_000;

/// A wallet and the trader account that it speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The wallet: owner or delegate of the trader account.
    pub wallet: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
}

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The text is not known, has been used, or is too old.
    #[error("that text was never asked for, was signed already, or is older than five minutes: ask for another")]
    Nonce,
    /// The signature is another.
    #[error("that is not the wallet's signature of the text")]
    Signature,
    /// There are enough.
    #[error("too many wait: ask again in a few minutes")]
    Full,
    /// There is no such session.
    #[error("the session has ended, or there is none: sign in with the wallet")]
    Session,
}

/// What waits for a signature, and who has signed.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// By nonce.
    asked: BTreeMap<String, (Holder, String, Instant)>,
    /// By the hash of the token, so that nobody compares tokens byte by byte.
    sessions: BTreeMap<[u8; 32], (Holder, Instant)>,
}

impl Open {
    fn tidy(&mut self, now: Instant) {
        let young = |at: Instant, most: Duration| now.saturating_duration_since(at) < most;
        self.asked.retain(|_, (_, _, at)| young(*at, TO_SIGN));
        self.sessions.retain(|_, (_, at)| young(*at, LASTS));
    }
}

fn random() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    hex(&bytes)
}

fn hashed(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Sessions {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A nonce, and the text to sign, which says where, for what and by whom.
    ///
    /// # Errors
    /// `Full`.
    pub fn ask(&self, holder: Holder, site: &str) -> Result<(String, String), Denied> {
        self.ask_at(holder, site, Instant::now())
    }

    fn ask_at(&self, holder: Holder, site: &str, now: Instant) -> Result<(String, String), Denied> {
        let mut open = self.open();
        open.tidy(now);
        if open.asked.len() >= MOST {
            return Err(Denied::Full);
        }
        let nonce = random();
        let text = format!(
            "Ballast alerts\n\nSigning this lets {site} manage the alerts of a trader account for an hour. It moves nothing and allows no trade.\n\nTrader account: {}\nWallet: {}\nNonce: {nonce}",
            holder.trader, holder.wallet
        );
        open.asked
            .insert(nonce.clone(), (holder, text.clone(), now));
        Ok((nonce, text))
    }

    /// A token for whoever signed the text of a nonce; each text is good for one attempt.
    ///
    /// # Errors
    /// `Nonce`, `Signature`, `Full`.
    pub fn enter(&self, nonce: &str, signature: &Signature) -> Result<(Holder, String), Denied> {
        self.enter_at(nonce, signature, Instant::now())
    }

    fn enter_at(
        &self,
        nonce: &str,
        signature: &Signature,
        now: Instant,
    ) -> Result<(Holder, String), Denied> {
        let mut open = self.open();
        open.tidy(now);
        let (holder, text, _) = open.asked.remove(nonce).ok_or(Denied::Nonce)?;
        if !signature.verify(holder.wallet.as_array(), text.as_bytes()) {
            return Err(Denied::Signature);
        }
        if open.sessions.len() >= MOST {
            return Err(Denied::Full);
        }
        let token = random();
        open.sessions.insert(hashed(&token), (holder, now));
        Ok((holder, token))
    }

    /// Whose session a token is of.
    ///
    /// # Errors
    /// `Session`.
    pub fn holder(&self, token: &str) -> Result<Holder, Denied> {
        self.holder_at(token, Instant::now())
    }

    fn holder_at(&self, token: &str, now: Instant) -> Result<Holder, Denied> {
        let mut open = self.open();
        open.tidy(now);
        let found = open.sessions.get(&hashed(token));
        found.map(|(holder, _)| *holder).ok_or(Denied::Session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_keypair::Keypair;
    use solana_signer::Signer;

    fn holder(wallet: &Keypair) -> Holder {
        Holder {
            wallet: wallet.pubkey(),
            trader: Pubkey::new_from_array([4; 32]),
        }
    }

    #[test]
    fn whoever_signs_the_text_is_let_in_once() {
        let (sessions, wallet, now) = (Sessions::default(), Keypair::new(), Instant::now());
        let asked = || {
            sessions
                .ask_at(holder(&wallet), "here.example", now)
                .unwrap()
        };
        let (nonce, text) = asked();
        assert!(text.contains("here.example") && text.contains(&nonce));
        let signature = wallet.sign_message(text.as_bytes());
        let (who, token) = sessions.enter_at(&nonce, &signature, now).unwrap();
        assert_eq!(who, holder(&wallet));
        assert_eq!(sessions.holder_at(&token, now), Ok(who));
        let again = sessions.enter_at(&nonce, &signature, now);
        assert_eq!(again, Err(Denied::Nonce), "a text is signed once");
        assert_eq!(sessions.holder_at("x", now), Err(Denied::Session));
        let later = now + LASTS;
        assert_eq!(sessions.holder_at(&token, later), Err(Denied::Session));
        // Another's signature, and that of another text.
        let (nonce, text) = asked();
        let stranger = Keypair::new().sign_message(text.as_bytes());
        assert_eq!(
            sessions.enter_at(&nonce, &stranger, now),
            Err(Denied::Signature)
        );
        let (nonce, _) = asked();
        let other = wallet.sign_message(text.as_bytes());
        assert_eq!(
            sessions.enter_at(&nonce, &other, now),
            Err(Denied::Signature)
        );
        let (nonce, text) = asked();
        let late = wallet.sign_message(text.as_bytes());
        let after = now + TO_SIGN;
        assert_eq!(sessions.enter_at(&nonce, &late, after), Err(Denied::Nonce));
    }
}
