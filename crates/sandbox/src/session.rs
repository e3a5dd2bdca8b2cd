//! Deleveraging over several transactions.

use ballast_client::accounts;
use ballast_client::instructions::adl_session::{self, SessionKeys, SESSION_SPACE};
use ballast_state::adl_session::AdlSession;
use ballast_state::Pubkey;
use solana_signer::Signer;

use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxOutcome, TxResult};
use crate::trading::TraderCookie;
use crate::world::Sandbox;

impl Sandbox {
    /// Creates a session's account and opens the session, both paid by the sandbox's payer.
    pub fn open_adl_session(
        &mut self,
        market: &MarketCookie,
        bankrupt: &Pubkey,
    ) -> Result<(SessionKeys, TxOutcome), TxError> {
        let keypair = self.next_keypair();
        let keys = SessionKeys {
            session: keypair.pubkey(),
            payer: self.payer(),
            bankrupt: *bankrupt,
        };
        let rent = self.rent(SESSION_SPACE);
        let create = adl_session::CreateSessionAccount {
            payer: keys.payer,
            session: keys.session,
            lamports: rent,
        }
        .instruction();
        let open = adl_session::OpenAdlSession {
            keys: market.keys,
            session: keys,
        }
        .instruction();
        let outcome = self.send(&[create, open], &[&keypair])?;
        Ok((keys, outcome))
    }

    /// Walks on for a session.
    pub fn advance_adl_session(
        &mut self,
        market: &MarketCookie,
        session: &SessionKeys,
        max_nodes: u32,
        hints: Vec<u32>,
    ) -> TxResult {
        let instruction = adl_session::AdvanceAdlSession {
            keys: market.keys,
            session: session.session,
            max_nodes,
            hints: &hints,
        }
        .instruction();
        self.send(&[instruction], &[])
    }

    /// Executes a session against any list, through a lookup table if the list is long.
    pub fn execute_adl_session(
        &mut self,
        market: &MarketCookie,
        session: &SessionKeys,
        keeper: &TraderCookie,
        selected: &[Pubkey],
    ) -> TxResult {
        let instruction = adl_session::ExecuteAdlSession {
            keeper: keeper.wallet.address(),
            keys: market.keys,
            session: *session,
            reward_trader: keeper.address,
            selected,
        }
        .instruction();
        self.send_listing(&instruction, &keeper.wallet, selected)
    }

    /// Closes a session that came to nothing.
    pub fn close_adl_session(&mut self, market: &MarketCookie, session: &SessionKeys) -> TxResult {
        let close = adl_session::CloseAdlSession {
            keys: market.keys,
            session: *session,
        };
        self.send(&[close.instruction()], &[])
    }

    /// A session's state.
    ///
    /// # Panics
    /// If there is none.
    pub fn adl_session(&self, session: &SessionKeys) -> AdlSession {
        let account = self.account(&session.session).expect("a session account");
        accounts::adl_session(&account.data).expect("a session")
    }

    /// The trader accounts to execute a session against.
    ///
    /// # Panics
    /// If there is no such session.
    pub fn selected(&self, market: &MarketCookie, session: &SessionKeys) -> Vec<Pubkey> {
        let state = self.adl_session(session);
        let queue = self.queue(market, state.side());
        adl_session::selected(&state, &queue.queue().expect("a queue"))
    }
}
