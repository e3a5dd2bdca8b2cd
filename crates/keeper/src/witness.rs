//! Witnesses that the price sources of a change that waits agree, or that they do not.
//!
//! A change of a market's price source takes effect only where both sources have agreed for most of its
//! delay, and is void once they have been apart ([`ballast_engine::oracle::compare`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::admin::StagedKeys;
use ballast_client::instructions::source::{PricePair, WitnessOracle};
use ballast_client::price::{decode_source, source_account, PriceError};
use ballast_client::{accounts, addresses};
use ballast_engine::oracle::{Comparison, Now, OraclePrice};
use ballast_rpc::cluster::{clock_address, clock_of, Cluster, ReadError};
use ballast_rpc::sender::{SendError, Sender};
use ballast_state::error::BallastError;
use ballast_state::oracle_config::OracleConfig;
use ballast_state::staged::{Change, Staged};
use ballast_state::witnessed::MOST_WITNESSED_SLOTS;
use solana_account::Account;
use tokio::time::MissedTickBehavior;

use crate::metrics::{Metrics, WITNESS_ORACLE};

/// Between two looks at what is staged.
const EVERY: Duration = Duration::from_secs(60);
/// Slots after which agreement is witnessed again: half of what counts at most.
const AGAIN_SLOTS: u64 = MOST_WITNESSED_SLOTS / 2;

/// Witnesses changes of price source.
pub struct Witness {
    /// The node to read from.
    pub cluster: Arc<Cluster>,
    /// Signs, pays and sends.
    pub sender: Arc<Sender>,
    /// The markets kept, and the accounts their prices are read from.
    pub prices: HashMap<Pubkey, Pubkey>,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// Figures.
    pub metrics: Metrics,
}

/// Why a change could not be witnessed.
#[derive(Debug, thiserror::Error)]
enum Unwitnessed {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the prices do not serve: {0}")]
    Price(#[from] PriceError),
    #[error("{}", _0.name())]
    Refused(BallastError),
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Whether a look that says this is worth sending in `slot`.
const fn is_worth_it(staged: &Staged, said: Comparison, slot: u64) -> bool {
    match said {
        Comparison::Apart => true,
        Comparison::Agree => {
            let last = staged.witnessed.last_slot;
            last == 0 || slot.saturating_sub(last) >= AGAIN_SLOTS
        }
        Comparison::Undecided => false,
    }
}

impl Witness {
    /// Looks again and again. Never ends.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look().await;
        }
    }

    /// Looks once at every change of source that waits for a market that is kept.
    pub async fn look(&self) {
        let staged = match self.cluster.all_staged().await {
            Ok(staged) => staged,
            Err(error) => {
                tracing::warn!(%error, "what is staged was not read");
                return;
            }
        };
        for (address, staged) in &staged {
            let Ok(Change::Oracle(source)) = staged.change() else {
                continue;
            };
            let Some(own) = self.prices.get(&staged.target) else {
                continue;
            };
            if let Err(error) = self.witness(address, staged, &source, own).await {
                tracing::warn!(market = %staged.target, %error, "a change of price source was not witnessed");
            }
        }
    }

    async fn witness(
        &self,
        address: &Pubkey,
        staged: &Staged,
        source: &OracleConfig,
        own: &Pubkey,
    ) -> Result<(), Unwitnessed> {
        let other = source_account(source);
        let wanted = [
            staged.target,
            addresses::exchange(),
            clock_address(),
            *own,
            other,
        ];
        let (_, found) = self.cluster.accounts(&wanted).await?;
        let [Some(market), Some(exchange), Some(clock), own_account, other_account] =
            found.as_slice()
        else {
            return Ok(());
        };
        let read = (
            accounts::market(&market.data),
            accounts::exchange(&exchange.data),
            clock_of(&clock.data),
        );
        let (Ok(market), Ok(exchange), Some(clock)) = read else {
            return Ok(());
        };
        let change = Change::Oracle(*source);
        let current = staged.is_current(&change, &exchange, Some(&market));
        if !current.unwrap_or(false) || clock.slot > staged.expires_slot {
            return Ok(());
        }
        let price = decoded(&market.oracle, own, own_account.as_ref())?;
        let new_price = decoded(source, &other, other_account.as_ref())?;
        let now = Now {
            slot: clock.slot,
            unix_timestamp: clock.unix_timestamp,
        };
        let said = market
            .compare_sources(&price, &new_price, now)
            .map_err(Unwitnessed::Refused)?;
        if !is_worth_it(staged, said, clock.slot) {
            return Ok(());
        }
        let witness = WitnessOracle {
            staged: StagedKeys::of(*address, staged),
            prices: PricePair {
                market: staged.target,
                price: *own,
                new_price: other,
            },
        };
        let (ticks, new_ticks) = (price.price.get(), new_price.price.get());
        let prepared = self
            .sender
            .prepare(&[witness.instruction()], &[], &[])
            .await?;
        if self.dry_run {
            tracing::info!(
                market = market.index,
                ?said,
                ticks,
                new_ticks,
                "would witness"
            );
            return Ok(());
        }
        let label = [WITNESS_ORACLE];
        self.metrics.sent.with_label_values(&label).inc();
        match self.sender.complete(prepared).await {
            Ok(landed) => {
                self.metrics.won.with_label_values(&label).inc();
                tracing::info!(market = market.index, ?said, ticks, new_ticks, signature = %landed.signature, "a change of price source was witnessed");
                Ok(())
            }
            Err(error) => {
                self.metrics.failed.with_label_values(&label).inc();
                Err(error.into())
            }
        }
    }
}

/// The price that an account has of a source.
fn decoded(
    source: &OracleConfig,
    key: &Pubkey,
    account: Option<&Account>,
) -> Result<OraclePrice, PriceError> {
    let account = account.ok_or(PriceError::Missing)?;
    decode_source(source, key, &account.owner, &account.data)
}

/// The account of each market's price, by market.
pub fn prices(
    markets: &[(Pubkey, ballast_state::market::Market, Pubkey)],
) -> HashMap<Pubkey, Pubkey> {
    let own = markets.iter().map(|(address, _, price)| (*address, *price));
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;

    #[test]
    fn agreement_is_sent_twice_an_hour_and_its_end_at_once() {
        let mut staged = Staged::zeroed();
        assert!(is_worth_it(&staged, Comparison::Agree, 1_000_000));
        staged.witnessed = staged.witnessed.agreed(1_000_000).unwrap();
        for (slots, worth) in [(0, false), (4_499, false), (4_500, true), (90_000, true)] {
            let slot = 1_000_000 + slots;
            assert_eq!(is_worth_it(&staged, Comparison::Agree, slot), worth);
            assert!(is_worth_it(&staged, Comparison::Apart, slot));
            assert!(!is_worth_it(&staged, Comparison::Undecided, slot));
        }
    }
}
