//! A keeper by hand: tries every position, one after the other, until nothing is left to do.

use anchor_lang::prelude::Pubkey;
use anyhow::{bail, Context, Result};
use ballast_client::adl::{plan, Moment, Request, MAX_COUNTERPARTIES};
use ballast_client::instructions::anyone::{self, Takeover};
use ballast_client::price::decode_price;
use ballast_engine::units::Side;
use ballast_rpc::sender::SendError;
use solana_signer::Signer;

use crate::people::Person;
use crate::population::{Population, USD};
use crate::stage::Stage;

/// Free collateral put behind what is taken over.
const MARGIN: u64 = 600 * USD;
/// Calls for one position.
const MOST_CALLS: usize = 30;

/// Liquidates and deleverages whoever has to be.
///
/// # Errors
/// When something else than a refusal that is due happens.
pub async fn tidy(stage: &Stage, keeper: &Person, population: &Population) -> Result<()> {
    for person in population.everybody() {
        settle(stage, keeper, person, &population.maker.trader)
            .await
            .with_context(|| person.name.clone())?;
    }
    Ok(())
}

async fn settle(stage: &Stage, keeper: &Person, person: &Person, maker: &Pubkey) -> Result<()> {
    for _ in 0..MOST_CALLS {
        if stage.lots(&person.trader).await? == 0 {
            return Ok(());
        }
        let step = anyone::liquidate(
            keeper.owner.pubkey(),
            stage.keys,
            person.trader,
            keeper.trader,
            Takeover::with_margin(MARGIN),
            &[*maker],
        );
        match stage.sender.send(&[step], &[&keeper.owner], &[]).await {
            Ok(_) => {}
            Err(refused) if is(&refused, "Healthy") => return Ok(()),
            Err(refused) if is(&refused, "LadderInterval") => {}
            Err(refused) if is(&refused, "InsuranceCannotPay") => {
                deleverage(stage, keeper, person).await?;
            }
            Err(refused) => return Err(refused.into()),
        }
    }
    bail!("{} is not settled after {MOST_CALLS} calls", person.name)
}

fn is(error: &SendError, name: &str) -> bool {
    error.failure().is_some_and(|failure| failure.is(name))
}

async fn deleverage(stage: &Stage, keeper: &Person, person: &Person) -> Result<()> {
    let now = stage
        .cluster
        .snapshot(&stage.keys.market, &stage.keys.price)
        .await?;
    let trader = stage.cluster.trader(&person.trader).await?;
    let trader = trader.context("the trader account is gone")?;
    let slot = trader
        .find(&stage.keys.market)
        .and_then(|index| trader.positions.get(index))
        .context("the position is gone")?;
    let account = &now.price_account;
    let price = decode_price(
        &now.market,
        &stage.keys.price,
        &account.owner,
        &account.data,
    )?;
    let moment = Moment {
        slot: now.slot,
        unix_timestamp: now.clock.unix_timestamp,
        price_ticks: price.price.get(),
    };
    let side = if slot.lots > 0 {
        Side::Short
    } else {
        Side::Long
    };
    let queue = match side {
        Side::Long => &now.queue_long,
        Side::Short => &now.queue_short,
    };
    let request = Request {
        bankrupt: person.trader,
        max_lots: slot.lots.unsigned_abs(),
        max_counterparties: MAX_COUNTERPARTIES,
        spares: 1,
    };
    let planned = plan(&now.market, &queue.queue()?, slot, &moment, &request);
    let planned = planned.map_err(|error| anyhow::anyhow!("no plan: {error:?}"))?;
    let round = anyone::auto_deleverage(
        keeper.owner.pubkey(),
        stage.keys,
        person.trader,
        keeper.trader,
        planned.max_lots,
        &planned.counterparties,
    );
    stage.send(&[round], &[&keeper.owner]).await?;
    Ok(())
}
