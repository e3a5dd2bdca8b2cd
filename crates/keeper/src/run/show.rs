//! What the keeper says about itself, from time to time.

use std::time::Instant;

use ballast_engine::wind_down::WindDown;
use ballast_rpc::transport::Requests;

use super::Keeper;
use crate::metrics::whole;

/// Seconds until a market ends; 0 once it has, -1 where no end is foreseen.
fn ends_in(end: &WindDown, now: i64) -> i64 {
    match end.is_scheduled() {
        true => end.ends_at.saturating_sub(now).max(0),
        false => -1,
    }
}

impl Keeper {
    /// States how things are.
    pub(super) fn show(&self) {
        let (metrics, world) = (&self.parts.board.metrics, &self.world);
        let (in_flight, now) = (self.flight.len(), Instant::now());
        for market in &world.markets {
            let index = market.state.market.index.to_string();
            let count = whole(market.state.positions.len());
            let label = [index.as_str()];
            metrics.positions.with_label_values(&label).set(count);
            let (stored, now) = (&market.state.market, world.clock.unix_timestamp);
            metrics
                .mode
                .with_label_values(&label)
                .set(stored.mode.into());
            metrics
                .ends_in
                .with_label_values(&label)
                .set(ends_in(&stored.wind_down, now));
        }
        metrics.positions_memory.set(whole(world.positions().1));
        metrics.in_flight.set(whole(in_flight));
        metrics.waiting.set(whole(self.flight.waiting(now)));
        metrics.other_keepers.set(whole(self.leases.others()));
        metrics
            .wallet
            .set(i64::try_from(world.lamports).unwrap_or(i64::MAX));
        metrics.collateral.set(world.collateral.unwrap_or(-1));
        let requests = [&self.parts.actor.cluster, self.parts.actor.sender.cluster()]
            .map(|cluster| &cluster.requests);
        let sum = |count: fn(&Requests) -> u64| {
            i64::try_from(requests.iter().map(|one| count(one)).sum::<u64>()).unwrap_or(i64::MAX)
        };
        metrics.rpc_requests.set(sum(Requests::made));
        metrics.rpc_errors.set(sum(Requests::failed));
        self.parts.board.vitals(|vitals| {
            vitals.lamports = Some(world.lamports);
            vitals.in_flight = in_flight;
            vitals.clock = Some((world.clock.unix_timestamp, world.clock_at));
            vitals.websocket = self.parts.line.is_open();
            // A market that has ended waits for no price.
            let open = world.markets.iter();
            let open = open.filter(|market| !market.state.market.mode().has_ended());
            let prices = open.map(|market| {
                let published = market.state.price.map(|seen| seen.price.publish_time);
                (market.state.market.index, published)
            });
            vitals.prices = prices.collect();
            let ages = world.markets.iter().map(|market| {
                let market = &market.state.market;
                (market.index, market.params().price_age())
            });
            vitals.oldest_prices = ages.collect();
            metrics
                .slot
                .set(i64::try_from(vitals.slot).unwrap_or(i64::MAX));
            metrics
                .slot_lag
                .set(i64::try_from(vitals.slot_lag).unwrap_or(i64::MAX));
            metrics.websocket.set(i64::from(vitals.websocket));
            metrics.polling.set(i64::from(vitals.polling));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_engine::wind_down::EndCause;

    #[test]
    fn an_end_is_counted_down_to() {
        assert_eq!(ends_in(&WindDown::default(), 5), -1);
        let end = WindDown::scheduled(EndCause::Delisted, 100);
        assert_eq!((ends_in(&end, 40), ends_in(&end, 140)), (60, 0));
    }
}
