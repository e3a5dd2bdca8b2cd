//! The exchange as a forecast of deleveraging begins with it.

use anyhow::{anyhow, Result};
use ballast_engine::units::Side;
use ballast_risk::adl::book::Depth;
use ballast_risk::adl::snapshot::{PoolAt, Snapshot, Step};
use ballast_risk::makers::MakerStyle;

use super::stage::{engine, Stage};
use crate::scenario::market::MarketPlan;

/// Positions for which the copies of the queues have place beside those they hold.
const ROOM: usize = 64;

/// Everything that a forecast needs, as it stands.
pub fn snapshot(stage: &Stage, plan: &MarketPlan) -> Result<Snapshot> {
    let sandbox = &stage.sandbox;
    let queues = [Side::Long, Side::Short].map(|side| sandbox.queue(&stage.market, side));
    let at = Step {
        now: stage.moment()?.now(),
        price: stage.quoted()?,
    };
    let key = stage.market.keys.market;
    let snapshot = Snapshot::new(key, stage.state(), queues, at, ROOM);
    let mut snapshot = snapshot.map_err(|error| anyhow!(error.name()))?;
    for address in sandbox.trader_addresses() {
        snapshot.know(address, &sandbox.trader(address));
    }
    for keeper in &stage.keepers {
        snapshot.liquidators.extend(snapshot.place(&keeper.address));
    }
    if let Some(address) = &stage.pool {
        let account = snapshot.know(address, &sandbox.trader(address));
        snapshot.pool = Some(PoolAt {
            pool: sandbox.pool(&stage.market),
            account,
        });
    }
    snapshot.depth = depth(stage, plan)?;
    Ok(snapshot)
}

/// The makers of the plan as one.
fn depth(stage: &Stage, plan: &MarketPlan) -> Result<Option<Depth>> {
    let count = u64::try_from(stage.makers.len())?;
    if count == 0 {
        return Ok(None);
    }
    let (mut worth, mut inventory) = (0, 0);
    for maker in &stage.makers {
        worth += stage.purse(&maker.address)?;
        if let Some(open) = stage.open_position(&maker.address)? {
            let equity = open.position.equity(stage.mark()?).map_err(engine)?;
            worth += equity.positive_part();
            inventory += open.position.lots.get();
        }
    }
    Ok(Some(Depth {
        style: MakerStyle {
            depth_lots: plan.depth_lots * count,
            spread_bps: plan.spread_bps,
            min_lots: stage.risk.min_position_lots,
        },
        worth,
        inventory,
    }))
}
