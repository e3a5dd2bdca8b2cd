//! Price sources of markets: which is staged in the place of another, and whether both agree.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::instructions::admin::StagedKeys;
use ballast_client::instructions::source::{PricePair, WitnessOracle};
use ballast_client::price::{decode_source, source_account};
use ballast_state::market::Market;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH};
use ballast_state::staged::Change;
use clap::Args;

use super::failure::Usage;
use super::options::Sending;
use super::session::Session;
use super::staging;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `witness-oracle`.
#[derive(Clone, Debug, Args)]
pub struct WitnessArgs {
    /// The account that holds the change of price source, as `admin show` lists it.
    staged: Pubkey,
    #[command(flatten)]
    sending: Sending,
}

/// A price source in the units of the market: the account of the push oracle, or else a feed.
pub fn chosen(market: &Market, feed: Option<[u8; 32]>, push: Option<Pubkey>) -> OracleConfig {
    OracleConfig {
        kind: if push.is_some() {
            ORACLE_PUSH
        } else {
            ORACLE_PULL
        },
        feed_id: feed.unwrap_or_default(),
        push_account: push.unwrap_or_default(),
        ..market.oracle
    }
}

/// An account of each price source of a change: the first of `--price-account` that holds a price of
/// it, else the one that is kept current.
pub async fn prices(
    session: &Session,
    address: &Pubkey,
    source: &OracleConfig,
) -> Result<PricePair> {
    let market = session.cluster.market(address).await?;
    let named = session.price_accounts();
    let (_, found) = session.cluster.accounts(named).await?;
    let account_of = |source: &OracleConfig| {
        let mut holders = named.iter().zip(&found).filter(|(key, account)| {
            let account = account.as_ref();
            let price = account.map(|it| decode_source(source, key, &it.owner, &it.data));
            price.is_some_and(|price| price.is_ok())
        });
        let first = holders.next().map(|(key, _)| *key);
        first.unwrap_or_else(|| source_account(source))
    };
    Ok(PricePair {
        market: *address,
        price: account_of(&market.oracle),
        new_price: account_of(source),
    })
}

/// Runs `ballast witness-oracle`.
pub async fn witness(session: &Session, args: &WitnessArgs) -> Result<()> {
    let (staged, view) = staging::held(session, &args.staged).await?;
    let Change::Oracle(source) = staged.change()? else {
        return Err(Usage(format!(
            "{}: only a change of price source is witnessed",
            view.about()
        ))
        .into());
    };
    let witness = WitnessOracle {
        staged: StagedKeys::of(args.staged, &staged),
        prices: prices(session, &staged.target, &source).await?,
    };
    let plan = Plan {
        command: "witness-oracle",
        purpose: format!("Show what both price sources say: {}", view.about()),
        instructions: vec![witness.instruction()],
        names: Names::of(&session.exchange().await?),
    };
    writing::perform(session, session.keypair()?, plan, args.sending).await
}
