//! A trader whose position carries protective steps while the price falls: a keeper reduces it through the book.

use std::time::Duration;

use anyhow::Result;
use ballast_client::instructions::protection::{CreateProtection, SetProtection};
use ballast_engine::protection::ProtectiveStep;
use ballast_localnet::people::Person;
use ballast_localnet::population::USD;
use ballast_localnet::wait::until;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::{BlockTradeArgs, SetProtectionArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use solana_signer::Signer;

use crate::stage::Stage;

/// What everybody deposits.
const DEPOSIT: u64 = 3_000 * USD;
/// Lots of the position, and what stays of them.
const LOTS: (i64, i64) = (10_000, 5_000);
/// Margin of the position: above the step until the price falls, far above maintenance after it.
const MARGIN: u64 = 300 * USD;
/// Below five times maintenance half stays open.
const STEP: ProtectiveStep = ProtectiveStep {
    ratio_bps: 50_000,
    keep_bps: 5_000,
};
/// How far the price falls, ticks.
const FALL: u64 = 12_000;
/// How long keepers may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Who took part.
pub struct Protected {
    /// Everybody who traded.
    pub people: Vec<Person>,
    /// What was seen, in words.
    pub check: String,
}

/// Plays a fall from the price `ticks` while two keepers follow the market.
///
/// # Errors
/// When the position is not reduced to what its step keeps.
pub async fn play(stage: &Stage, ticks: u64) -> Result<Protected> {
    stage.oracle.set(ticks).await?;
    let long = stage
        .person("the protected long".to_owned(), DEPOSIT)
        .await?;
    let short = stage.person("its short".to_owned(), DEPOSIT).await?;
    let bidder = stage.person("the bidder".to_owned(), DEPOSIT).await?;
    let terms = BlockTradeArgs {
        lots: LOTS.0,
        price_ticks: ticks,
        taker_margin: MARGIN,
        maker_margin: 2_000 * USD,
    };
    stage.trade(&long, &short, terms).await?;
    protect(stage, &long).await?;
    let fallen = ticks - FALL;
    stage.oracle.set(fallen).await?;
    let bid = PlaceOrderArgs {
        side: OrderSide::Bid,
        kind: OrderKind::PostOnly,
        price_ticks: fallen,
        lots: 2 * LOTS.0.unsigned_abs(),
        ..PlaceOrderArgs::default()
    };
    stage.order(&bidder, bid, &[]).await?;
    until("a protective step", LIMIT, || async {
        Ok((stage.lots(&long.trader).await? == LOTS.1).then_some(()))
    })
    .await?;
    stage.tidied().await?;
    Ok(Protected {
        people: vec![long, short, bidder],
        check: "a keeper reduced a position to what its protective step keeps, before any liquidation of it"
            .to_owned(),
    })
}

async fn protect(stage: &Stage, long: &Person) -> Result<()> {
    let (owner, market) = (long.owner.pubkey(), stage.keys.market);
    let instructions = [
        CreateProtection {
            owner,
            market,
            trader: long.trader,
        }
        .instruction(),
        SetProtection {
            authority: owner,
            market,
            trader: long.trader,
            queue: stage.keys.queue_long,
            args: SetProtectionArgs {
                steps: vec![STEP],
                slip_bps: 50,
            },
        }
        .instruction(),
    ];
    // The owner pays the rent of the steps' account.
    ballast_localnet::venue::airdrop(&stage.cluster, &owner).await?;
    stage.send(&instructions, &[&long.owner]).await?;
    Ok(())
}
