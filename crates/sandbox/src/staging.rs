//! Changes of the exchange's authorities: staged, applied, cancelled.

use ballast_client::instructions::admin::{self, StagedKeys};
use ballast_engine::risk::RiskParams;
use ballast_state::exchange::{Delays, Role};
use ballast_state::staged::{Change, Staged};
use ballast_state::Pubkey;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxResult};
use crate::world::Sandbox;

impl Sandbox {
    /// Stages a change of the exchange, or of `market`, signed by the admin.
    pub fn stage(
        &mut self,
        change: Change,
        market: Option<&MarketCookie>,
    ) -> Result<StagedKeys, TxError> {
        let admin = self.admin_keypair();
        self.stage_by(change, market, &admin)
    }

    /// Stages a change, signed by `authority`.
    pub fn stage_by(
        &mut self,
        change: Change,
        market: Option<&MarketCookie>,
        authority: &Keypair,
    ) -> Result<StagedKeys, TxError> {
        let stage = self.staging(change, market, authority);
        self.send(&[stage.instruction()], &[authority])?;
        Ok(self.staged_keys(&stage.address()))
    }

    /// Sends what [`Sandbox::stage_by`] does.
    pub fn send_staging(
        &mut self,
        change: Change,
        market: Option<&MarketCookie>,
        authority: &Keypair,
    ) -> TxResult {
        let stage = self.staging(change, market, authority);
        self.send(&[stage.instruction()], &[authority])
    }

    fn staging(
        &self,
        change: Change,
        market: Option<&MarketCookie>,
        authority: &Keypair,
    ) -> admin::StageChange {
        admin::StageChange {
            authority: authority.pubkey(),
            payer: self.payer(),
            market: market.map(|market| market.keys.market),
            change,
        }
    }

    /// What applies or cancels the change that an account holds.
    ///
    /// # Panics
    /// If it holds none.
    pub fn staged_keys(&self, address: &Pubkey) -> StagedKeys {
        StagedKeys::of(*address, &self.staged(address).expect("a staged change"))
    }

    /// The change that an account holds.
    pub fn staged(&self, address: &Pubkey) -> Option<Staged> {
        let account = self.account(address)?;
        ballast_client::accounts::staged(&account.data).ok()
    }

    /// What puts a staged change in force: of a market when one is named.
    pub fn application(staged: &StagedKeys, market: Option<&MarketCookie>) -> Instruction {
        let staged = *staged;
        match market {
            Some(market) => admin::ApplyMarketChange {
                keys: market.keys,
                staged,
            }
            .instruction(),
            None => admin::ApplyExchangeChange { staged }.instruction(),
        }
    }

    /// Puts a staged change in force.
    pub fn apply(&mut self, staged: &StagedKeys, market: Option<&MarketCookie>) -> TxResult {
        self.send(&[Self::application(staged, market)], &[])
    }

    /// Takes a staged change back.
    pub fn cancel_staged(&mut self, staged: &StagedKeys, authority: &Keypair) -> TxResult {
        let cancel = admin::CancelStaged {
            authority: authority.pubkey(),
            staged: *staged,
        };
        self.send(&[cancel.instruction()], &[authority])
    }

    /// Stages a change, signed by the admin, and puts it in force: as an exchange without delays
    /// allows.
    pub fn change(&mut self, change: Change, market: Option<&MarketCookie>) -> TxResult {
        let staged = self.stage(change, market)?;
        self.apply(&staged, market)
    }

    /// Replaces a market's risk parameters as [`Sandbox::change`] does.
    pub fn set_market_risk(&mut self, market: &MarketCookie, risk: RiskParams) -> TxResult {
        self.change(Change::Risk(risk), Some(market))
    }

    /// Raises the delays, signed by the admin.
    pub fn raise_delays(&mut self, delays: Delays) -> TxResult {
        let admin = self.admin();
        let raise = admin::RaiseDelays { admin, delays };
        self.send(&[raise.instruction()], &[&self.admin_keypair()])
    }

    /// Stages a successor for a role, signed by the admin.
    pub fn stage_successor(
        &mut self,
        role: Role,
        successor: Pubkey,
    ) -> Result<StagedKeys, TxError> {
        self.stage(Change::Authority { role, successor }, None)
    }

    /// Takes a role over by the hand-over that is staged for it.
    pub fn accept_authority(&mut self, staged: &StagedKeys, successor: &Keypair) -> TxResult {
        let accept = admin::AcceptAuthority {
            successor: successor.pubkey(),
            staged: *staged,
        };
        self.send(&[accept.instruction()], &[successor])
    }

    /// Stages a successor for a role, who takes it over.
    pub fn hand_over(&mut self, role: Role, successor: &Keypair) -> TxResult {
        let staged = self.stage_successor(role, successor.pubkey())?;
        self.accept_authority(&staged, successor)
    }
}
