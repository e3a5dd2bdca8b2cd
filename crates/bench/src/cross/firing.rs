//! Triggers and protective steps of a leg, executed amid filled cross queues.

use ballast_engine::protection::ProtectiveStep;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::trigger::TriggerKind;

use super::*;

/// Where they fire, ticks.
const STOP: u64 = START - 1_000;

impl Floor {
    /// Alice's legs with a stop-loss and steps on the first, all of which the price has reached; what a call lists that
    /// closes it against so many makers.
    fn fired(&mut self, makers: u64) -> Result<Vec<Pubkey>> {
        self.legs(MARKETS)?;
        let (alice, market) = (self.alice.clone(), self.markets[0].0.clone());
        let stop = PlaceTriggerArgs {
            kind: TriggerKind::StopLoss,
            price_ticks: STOP,
            worst_ticks: STOP - 500,
            lots: TEN.unsigned_abs(),
        };
        self.sandbox.place_trigger(&market, &alice, stop)?;
        self.sandbox.create_protection(&market, &alice)?;
        let closes = SetProtectionArgs {
            steps: vec![ProtectiveStep {
                ratio_bps: 1_000_000,
                keep_bps: 0,
            }],
            slip_bps: 100,
        };
        self.sandbox.set_protection(&market, &alice, closes)?;
        let mut list = Vec::new();
        for _ in 0..makers {
            let maker = self.sandbox.create_trader(10_000 * USD)?;
            let bid = PlaceOrderArgs {
                side: OrderSide::Bid,
                price_ticks: STOP - 10,
                lots: TEN.unsigned_abs() / makers,
                ..PlaceOrderArgs::default()
            };
            self.sandbox.place_order(&market, &maker, bid, &[])?;
            list.push(maker.address);
        }
        self.prices(STOP)?;
        Ok([vec![addresses::board()], self.queues(MARKETS), list].concat())
    }
}

pub(super) fn measure(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    for makers in [1, 5] {
        let name = format!("leg-of-{MARKETS}-{makers}-makers/{queue}");
        let words =
            format!("a leg of {MARKETS} closed against makers: {makers}, all recorded anew");
        meter.measure(&format!("execute_trigger/{name}"), || {
            let mut floor = floor.fork();
            let listed = floor.fired(makers)?;
            let (alice, bob, market) = floor.parties();
            let kind = TriggerKind::StopLoss;
            let sandbox = &mut floor.sandbox;
            let fired = sandbox.execute_trigger(&market, &alice, &bob, kind, &listed);
            Figure::of(&words, fired)
        })?;
        meter.measure(&format!("execute_protection/{name}"), || {
            let mut floor = floor.fork();
            let listed = floor.fired(makers)?;
            let (alice, bob, market) = floor.parties();
            let sandbox = &mut floor.sandbox;
            Figure::of(
                &words,
                sandbox.execute_protection(&market, &alice, &bob, &listed),
            )
        })?;
    }
    Ok(())
}

impl Floor {
    /// Whose leg it is, who executes, and the market.
    fn parties(&self) -> (Pubkey, TraderCookie, MarketCookie) {
        let market = self.markets[0].0.clone();
        (self.alice.address, self.bob.clone(), market)
    }
}
