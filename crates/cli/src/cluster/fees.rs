//! `ballast withdraw-fees`: what a market's fees may spare, to the treasury.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::anyone::WithdrawFees;
use ballast_engine::EngineError;
use ballast_state::market::Market;
use clap::Args;
use serde::Serialize;

use super::collateral::quote_currency;
use super::failure::{Computed, Usage};
use super::options::Sending;
use super::session::Session;
use super::state::{name_of, Parts};
use super::units::Collateral;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `withdraw-fees`.
#[derive(Clone, Debug, Args)]
pub struct WithdrawFeesArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    sending: Sending,
}

/// The fees of a market as they are printed.
#[derive(Clone, Debug, Serialize)]
pub struct FeesView {
    market_index: u16,
    market: String,
    fees_atoms: u64,
    /// What is never paid out, but of a market that is closed.
    reserve_atoms: u64,
    /// When some were paid out last, unix seconds; `null` before the first time.
    paid_at: Option<u32>,
    /// What may go at present, solvency aside.
    due_atoms: u64,
}

impl FeesView {
    /// Of a market at `now`, unix seconds.
    pub fn new(market: &Market, now: i64) -> Result<Self> {
        let bucket = market.fee_bucket();
        let due = bucket.pay_out(&market.risk, market.mode(), now);
        Ok(Self {
            market_index: market.index,
            market: name_of(market),
            fees_atoms: bucket.atoms,
            reserve_atoms: market.risk.fee_reserve().computed()?,
            paid_at: Some(bucket.paid_at).filter(|at| *at > 0),
            due_atoms: due.map_or(0, |payout| payout.atoms),
        })
    }

    /// A line of it.
    pub fn words(&self, units: Collateral) -> String {
        format!(
            "{}: {} collected, reserve {}, {} may go now",
            self.market,
            units.show(self.fees_atoms.into()),
            units.show(self.reserve_atoms.into()),
            units.show(self.due_atoms.into())
        )
    }
}

/// Runs `ballast withdraw-fees`. Anybody may.
pub async fn run(session: &Session, args: &WithdrawFeesArgs) -> Result<()> {
    let signer = session.keypair()?;
    let (collateral, units) = quote_currency(session).await?;
    let treasury = session.exchange().await?.treasury;
    if treasury == Pubkey::default() {
        return Err(Usage(
            "the exchange has no treasury; its admin stages one with `ballast admin stage treasury`"
                .to_owned(),
        )
        .into());
    }
    let state = session.market(&args.market, Parts::Market).await?;
    let (market, name) = (&state.market, state.name());
    let bucket = market.fee_bucket();
    let payout = match bucket.pay_out(&market.risk, market.mode(), state.now) {
        Ok(payout) => payout,
        Err(refusal) => {
            let view = FeesView::new(market, state.now)?;
            return Err(Usage(sentence(refusal, &view, units)).into());
        }
    };
    let plan = Plan {
        command: "withdraw-fees",
        purpose: format!(
            "Pay {} of the {} that {name} has collected to treasury {treasury}",
            units.show(payout.atoms.into()),
            units.show(bucket.atoms.into())
        ),
        instructions: vec![WithdrawFees {
            keys: state.keys,
            treasury,
            collateral,
        }
        .instruction()],
        names: Names {
            collateral: units,
            market: Some((&name, state.units)),
        },
    };
    writing::perform(session, signer, plan, args.sending).await
}

/// Why nothing is paid out, with the figures of the market.
fn sentence(refusal: EngineError, view: &FeesView, units: Collateral) -> String {
    let about = view.words(units);
    match refusal {
        EngineError::FeesPaidToday => {
            format!("FeesPaidToday: {about}; the last payout is less than a day ago")
        }
        EngineError::FeesReserved => {
            format!("FeesReserved: {about}; a quarter goes at a time, and the reserve stays")
        }
        other => format!("{other:?}: {about}; {other}"),
    }
}
