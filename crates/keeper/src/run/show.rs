//! What the keeper says about itself, from time to time.

use std::time::Instant;

use ballast_rpc::transport::Requests;

use super::Keeper;
use crate::metrics::whole;

impl Keeper {
    /// States how things are.
    pub(super) fn show(&self) {
        let (metrics, world) = (&self.parts.board.metrics, &self.world);
        let (in_flight, now) = (self.flight.len(), Instant::now());
        for market in &world.markets {
            let index = market.state.market.index.to_string();
            let count = whole(market.state.positions.len());
            metrics
                .positions
                .with_label_values(&[index.as_str()])
                .set(count);
        }
        metrics.positions_memory.set(whole(world.positions().1));
        metrics.in_flight.set(whole(in_flight));
        metrics.waiting.set(whole(self.flight.waiting(now)));
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
            let prices = world.markets.iter().map(|market| {
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
