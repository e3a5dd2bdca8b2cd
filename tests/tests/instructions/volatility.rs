//! Initial margin scaled by volatility and by open interest, and who would move it.

use ballast_engine::volatility::ONE_PPM;
use ballast_sandbox::TraderCookie;
use ballast_state::error::BallastError;

use crate::event;
use crate::orders::bid;
use crate::support::{done, quiet, refused, terms, Venue, START, TEN, USD};

/// A market in which volatility multiplies margin by `most` at most, with a minute's price behind it every
/// hour for a hundred hours: up and down by a thousandth. Alice is long, bob short.
fn calm(most: u16) -> Venue {
    let mut config = quiet();
    config.risk.margin_multiplier_max_bps = most;
    let mut venue = Venue::open_with(&config);
    for hour in 0..100 {
        venue.wait(3_600);
        venue.record_price(START + if hour % 2 == 0 { 200 } else { 0 });
    }
    assert_eq!(venue.multiplier(), ONE_PPM);
    venue
}

impl Venue {
    /// Publishes a price and has it recorded.
    fn record_price(&mut self, ticks: u64) {
        self.price(ticks);
        done(self.sandbox.accrue_funding(&self.market));
    }

    fn multiplier(&self) -> u32 {
        let market = self.sandbox.market(&self.market);
        market.margin_scale().multiplier_ppm
    }

    /// Two hours later, at $194.
    fn jump(&mut self) {
        self.wait(7_200);
        self.price(194_000);
    }
}

fn with(venue: &mut Venue, atoms: u64) -> TraderCookie {
    venue.sandbox.create_trader(atoms).unwrap()
}

#[test]
pub fn a_jump_refuses_orders_and_liquidates_nobody() {
    let mut after = Vec::new();
    for most in [0, 30_000] {
        let mut venue = calm(most);
        let (before, later) = (with(&mut venue, 10 * USD), with(&mut venue, 10 * USD));
        let keeper = with(&mut venue, 1_000 * USD);
        // 5% of $200 is what each has.
        let placed = venue.place(&before, bid(191_000, 1_000), &[]);
        assert_eq!(placed.reserved_atoms, 10 * USD);
        venue.jump();
        let order = bid(185_000, 1_000);
        if most == 0 {
            assert_eq!(venue.place(&later, order, &[]).reserved_atoms, 9_700_000);
        } else {
            venue.refuse(BallastError::InsufficientCollateral, &later, order, &[]);
            // Half as much again after two hours, for every way in.
            let rich = with(&mut venue, 100 * USD);
            assert_eq!(venue.place(&rich, order, &[]).reserved_atoms, 14_550_000);
            assert_eq!(venue.multiplier(), 1_500_000);
            refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
                let terms = terms(1_000, 194_000, 14_550_000 - 1, 100 * USD);
                s.block_trade(&venue.market, &keeper, &rich, terms)
            });
            // Bob, short at $200, has $560 and is asked for $145.50.
            refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
                s.remove_margin(&venue.market, &venue.bob, 414_500_001)
            });
            done(
                venue
                    .sandbox
                    .remove_margin(&venue.market, &venue.bob, 414_500_000),
            );
        }
        // What waited goes on waiting; alice is liquidated as she would have been.
        assert_eq!(venue.holds(&before), (0, 0, 10 * USD));
        let victim = venue.alice.address;
        let step = venue
            .sandbox
            .liquidate(&venue.market, &victim, &keeper, 100 * USD);
        let event = event!(done(step), PositionLiquidated);
        assert_eq!(event.maintenance_before_atoms, 48_500_000);
        after.push((event.lots, event.quote_atoms, event.discount_atoms));
        venue.conserves();
    }
    assert_eq!(after[0], after[1]);
    // Nor is somebody with maintenance margin, however volatile the market is.
    let mut venue = calm(50_000);
    done(
        venue
            .sandbox
            .add_margin(&venue.market, &venue.alice, 10 * USD),
    );
    let keeper = with(&mut venue, 1_000 * USD);
    venue.jump();
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    // Who is in gets out without more margin.
    done(venue.trade(-TEN, 194_000, 0, 0));
}

#[test]
pub fn who_pumps_it_gets_no_further_than_its_speed() {
    let mut venue = calm(30_000);
    // A price a minute at the limit of confidence, 2% to either side.
    for minute in 0..60 {
        venue.wait(60);
        let ticks = if minute % 2 == 0 { 196_000 } else { 204_000 };
        venue.quote(|quote| {
            (quote.ticks, quote.ema_ticks) = (ticks, ticks);
            quote.conf_ticks = ticks / 50;
        });
        done(venue.sandbox.accrue_funding(&venue.market));
    }
    let pumped = venue.multiplier();
    assert!((1_240_000..=1_250_000).contains(&pumped), "{pumped}");
    // Prices a second apart, and many calls of one second, are one.
    let before = venue.sandbox.market(&venue.market).volatility;
    for second in 0..5 {
        venue.wait(1);
        venue.record_price(150_000 + second * 20_000);
        venue.record_price(150_000 + second * 20_000);
    }
    assert_eq!(venue.sandbox.market(&venue.market).volatility, before);
    // A confidence beyond the limit is not recorded, and counts for nothing.
    venue.wait(60);
    venue.quote(|quote| quote.conf_ticks = START / 40);
    refused(&mut venue.sandbox, BallastError::PriceWideConfidence, |s| {
        s.accrue_funding(&venue.market)
    });
    assert_eq!(venue.sandbox.market(&venue.market).volatility, before);
    // Days later it has gone down by two points an hour.
    venue.wait(3_600);
    venue.record_price(204_000);
    let seconds = 5 + 60 + 3_600;
    assert!(venue.multiplier() <= pumped + 250_000 * seconds / 3_600);
    for _ in 0..200 {
        venue.wait(3_600);
        venue.record_price(204_000);
    }
    assert_eq!(venue.multiplier(), ONE_PPM);
}

#[test]
pub fn who_updates_nothing_hides_nothing() {
    let mut silent = calm(30_000);
    silent.wait(10 * 3_600);
    silent.price(194_000);
    // The first call after ten hours sees the whole move, an order included.
    let trader = with(&mut silent, 100 * USD);
    let reserved = silent
        .place(&trader, bid(194_000, 1_000), &[])
        .reserved_atoms;
    assert!(silent.multiplier() > 2_000_000);
    let expected = 9_700_000 * u64::from(silent.multiplier());
    assert_eq!(reserved, expected.div_ceil(1_000_000));
    // Turned off, it is as if it had never been.
    let risk = silent.market.config.risk;
    let off = ballast_engine::risk::RiskParams {
        margin_multiplier_max_bps: 0,
        ..risk
    };
    done(silent.sandbox.set_market_risk(&silent.market, off));
    assert_eq!(silent.multiplier(), ONE_PPM);
}

#[test]
pub fn a_full_market_asks_for_more() {
    let mut config = quiet();
    config.risk.max_open_interest_lots = 20_000;
    (
        config.risk.open_interest_lower_bps,
        config.risk.open_interest_upper_bps,
    ) = (0, 10_000);
    let mut venue = Venue::with(&config);
    // $400 of notional: $20, and a tenth of what that lacks to the whole.
    let least = 58 * USD;
    for (alice, bob) in [(least - 1, least), (least, least - 1)] {
        refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
            s.block_trade(
                &venue.market,
                &venue.alice,
                &venue.bob,
                terms(2_000, START, alice, bob),
            )
        });
    }
    done(venue.trade(2_000, START, least, least));
    refused(&mut venue.sandbox, BallastError::BelowInitialMargin, |s| {
        s.remove_margin(&venue.market, &venue.alice, 1)
    });
    // $200 where 3,000 of 20,000 lots would be open: $10, and 15% of $190.
    let (poor, trader) = (with(&mut venue, 38_499_999), with(&mut venue, 38_500_000));
    let order = bid(START, 1_000);
    venue.refuse(BallastError::InsufficientCollateral, &poor, order, &[]);
    assert_eq!(venue.place(&trader, order, &[]).reserved_atoms, 38_500_000);
    // Whoever closes is asked for nothing, and maintenance margin is what it was.
    venue.price(195_000);
    let keeper = with(&mut venue, 1_000 * USD);
    refused(&mut venue.sandbox, BallastError::Healthy, |s| {
        s.liquidate(&venue.market, &venue.alice.address, &keeper, 100 * USD)
    });
    done(venue.trade(-2_000, 195_000, 0, 0));
    venue.conserves();
}
