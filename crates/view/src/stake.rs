//! What somebody has staked behind a market's insurance, and when it is paid.

use ballast_client::staking::Staking;
use ballast_state::market::Market;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::countdown::Countdown;
use crate::state::name_of;
use crate::units::Collateral;

/// A stake as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct StakeView {
    market: String,
    owner: String,
    slot: u64,
    shares: u64,
    value_atoms: u64,
    value: String,
    staked_atoms: u64,
    insurance_atoms: u64,
    requested: u64,
    payable_atoms: u64,
    payable: String,
    #[serde(flatten)]
    countdown: Countdown,
}

impl StakeView {
    /// Of a stake of `owner` in `market`, as of `slot`.
    pub fn new(
        market: &Market,
        owner: &Pubkey,
        (now, slot): (&Staking, u64),
        units: Collateral,
    ) -> Self {
        Self {
            market: name_of(market),
            owner: owner.to_string(),
            slot,
            shares: now.holding.shares,
            value_atoms: now.value_atoms,
            value: units.text(now.value_atoms.into()),
            staked_atoms: market.staked_atoms,
            insurance_atoms: market.insurance.balance,
            requested: now.holding.requested,
            payable_atoms: now.payable_atoms,
            payable: units.text(now.payable_atoms.into()),
            countdown: Countdown::new(now.exit),
        }
    }

    /// In words.
    pub fn words(&self, units: Collateral) -> String {
        let show = |atoms: u64| units.show(atoms.into());
        let but = ", less what is lost until then";
        let asked = self.countdown.words(&show(self.payable_atoms), but);
        format!(
            "{} shares of the stakes of {}, worth {} of {} staked; insurance owns {}.\n{asked}",
            self.shares,
            self.market,
            show(self.value_atoms),
            show(self.staked_atoms),
            show(self.insurance_atoms)
        )
    }
}
