//! What a coalition may do: any call, in any order, at any fresh price.

use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{BlockTrade, Quote, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::PlaceTriggerArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::venue::{Venue, USD};

/// The most that a price moves, in millionths: fifteen of them, one age window, are 4.2%, which is the
/// initial margin less what a liquidation costs.
const MOST_PPM: u64 = 2_800;

/// Calls that went through.
#[derive(Default, Debug)]
pub struct Counts {
    pairs: u64,
    orders: u64,
    withdrawals: u64,
    margin: u64,
    flags: u64,
    liquidations: u64,
    triggers: u64,
    /// Of all, those at another price than the newest.
    older: u64,
}

impl Counts {
    /// Fails unless everything happened that is needed to mean something.
    pub fn require_variety(&self) {
        let each = [
            self.pairs,
            self.orders,
            self.withdrawals,
            self.margin,
            self.flags,
            self.liquidations,
            self.triggers,
            self.older,
        ];
        assert!(each.iter().all(|count| *count > 0), "{self:?}");
    }
}

/// The source of a coalition's acts.
pub struct Attack {
    random: ChaCha8Rng,
    falls: bool,
}

impl Attack {
    /// Of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let falls = random.gen();
        Self { random, falls }
    }

    /// The next price: trends that turn now and then.
    pub fn next_price(&mut self, ticks: u64) -> u64 {
        if self.random.gen_ratio(1, 12) {
            self.falls = !self.falls;
        }
        let most = ticks * MOST_PPM / 1_000_000;
        let moved = match self.random.gen_ratio(2, 3) {
            true => most,
            false => self.random.gen_range(0..=most),
        };
        match self.falls {
            true => ticks - moved,
            false => ticks + moved,
        }
    }

    /// How many calls there are at this price.
    pub fn calls(&mut self) -> u32 {
        self.random.gen_range(0..8)
    }

    /// Whether the honest maker is as quick as the price.
    pub fn is_quoted(&mut self) -> bool {
        self.random.gen_ratio(1, 6)
    }

    /// One call.
    pub fn call(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let known = venue.known();
        let quote = match self.random.gen_ratio(1, 2) {
            true => venue.newest(),
            false => *known.choose(&mut self.random).expect("a price"),
        };
        venue.post(quote);
        let done = match self.random.gen_range(0..20) {
            0..=4 => {
                let done = self.pair(venue, &quote);
                counts.pairs += u64::from(done);
                done
            }
            5..=8 => {
                let done = self.order(venue, &quote);
                counts.orders += u64::from(done);
                done
            }
            9..=10 => {
                let done = self.transfer(venue);
                counts.withdrawals += u64::from(done);
                done
            }
            11..=12 => {
                let done = self.margin(venue);
                counts.margin += u64::from(done);
                done
            }
            13 => {
                let (market, member) = (venue.market.clone(), self.member(venue));
                let flagged = venue.sandbox.flag_bankruptcy(&market, &member.address);
                let done = venue.observe(flagged);
                counts.flags += u64::from(done);
                done
            }
            14..=16 => {
                let done = self.liquidate(venue);
                counts.liquidations += u64::from(done);
                done
            }
            17..=18 => {
                let done = self.trigger(venue, &quote);
                counts.triggers += u64::from(done);
                done
            }
            _ => self.deleverage(venue),
        };
        counts.older += u64::from(done && quote != venue.newest());
    }

    fn member(&mut self, venue: &Venue) -> TraderCookie {
        let member = venue.coalition.choose(&mut self.random);
        member.expect("a coalition").clone()
    }

    /// Anybody: a member more often than the honest maker.
    fn anybody(&mut self, venue: &Venue) -> TraderCookie {
        match self.random.gen_ratio(1, 5) {
            true => venue.maker.clone(),
            false => self.member(venue),
        }
    }

    fn lots(&mut self) -> u64 {
        let most = [200, 5_000, 100_000, 900_000];
        let most = *most.choose(&mut self.random).expect("a size");
        self.random.gen_range(10..=most)
    }

    /// Margin for a trade: hardly enough, or more.
    fn backing(&mut self, lots: u64, ticks: u64) -> u64 {
        let bps = *[500, 505, 520, 800, 2_000]
            .choose(&mut self.random)
            .expect("a share");
        lots * ticks * bps / 10_000
    }

    /// A block trade among members, anywhere in the band.
    fn pair(&mut self, venue: &mut Venue, quote: &Quote) -> bool {
        let (taker, maker) = (self.member(venue), self.member(venue));
        let lots = self.lots();
        let off = self.random.gen_range(0..=500);
        let price_ticks = quote.ticks
            * *[10_000 - off, 10_000, 10_000 + off]
                .choose(&mut self.random)
                .expect("a price")
            / 10_000;
        let signed = i64::try_from(lots).expect("few lots");
        let terms = BlockTrade {
            lots: if self.random.gen() { signed } else { -signed },
            price_ticks,
            taker_margin: self.backing(lots, price_ticks),
            maker_margin: self.backing(lots, price_ticks),
        };
        let market = venue.market.clone();
        let traded = venue.sandbox.block_trade(&market, &taker, &maker, terms);
        venue.observe(traded)
    }

    /// An order, against the book or into it, or the end of all orders.
    fn order(&mut self, venue: &mut Venue, quote: &Quote) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        if self.random.gen_ratio(1, 8) {
            let cancelled = venue.sandbox.cancel_all_orders(&market, &member, None);
            return venue.observe(cancelled);
        }
        let kinds = [
            OrderKind::Limit,
            OrderKind::ImmediateOrCancel,
            OrderKind::PostOnly,
            OrderKind::Market,
        ];
        let lots = self.lots();
        let args = PlaceOrderArgs {
            side: if self.random.gen() {
                OrderSide::Bid
            } else {
                OrderSide::Ask
            },
            kind: *kinds.choose(&mut self.random).expect("a kind"),
            price_ticks: quote.ticks * self.random.gen_range(9_900..=10_100) / 10_000,
            lots,
            reduce_only: self.random.gen_ratio(1, 5),
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        let makers = venue.makers();
        let placed = venue.sandbox.place_order(&market, &member, args, &makers);
        venue.observe(placed)
    }

    /// Tokens out, or back in.
    fn transfer(&mut self, venue: &mut Venue) -> bool {
        let member = self.member(venue);
        let free = u64::try_from(venue.sandbox.trader(&member.address).free).expect("free");
        let atoms = match self.random.gen() {
            true => free,
            false => self.random.gen_range(1..=5_000 * USD),
        };
        let (result, out) = match self.random.gen() {
            true => (venue.sandbox.withdraw(&member, atoms), i128::from(atoms)),
            false => (venue.sandbox.deposit(&member, atoms), -i128::from(atoms)),
        };
        if result.is_ok() {
            venue.withdrawn(out);
        }
        venue.observe(result)
    }

    fn margin(&mut self, venue: &mut Venue) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        let atoms = self.random.gen_range(1..=2_000 * USD);
        let moved = match self.random.gen() {
            true => venue.sandbox.add_margin(&market, &member, atoms),
            false => venue.sandbox.remove_margin(&market, &member, atoms),
        };
        venue.observe(moved)
    }

    /// Of anybody, by a member, with the book or without.
    fn liquidate(&mut self, venue: &mut Venue) -> bool {
        let (market, liquidator) = (venue.market.clone(), self.member(venue));
        let victim = self.anybody(venue);
        let makers = match self.random.gen() {
            true => venue.makers(),
            false => Vec::new(),
        };
        let offer = match self.random.gen() {
            true => Takeover::with_margin(self.random.gen_range(0..=5_000 * USD)),
            false => Takeover::none(),
        };
        let victim = victim.address;
        let liquidated =
            venue
                .sandbox
                .liquidate_into_book(&market, &victim, &liquidator, offer, &makers);
        venue.observe(liquidated)
    }

    /// A stop is set, or executed.
    fn trigger(&mut self, venue: &mut Venue, quote: &Quote) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        let kind = match self.random.gen() {
            true => TriggerKind::StopLoss,
            false => TriggerKind::TakeProfit,
        };
        if self.random.gen() {
            let (keeper, makers) = (self.member(venue), venue.makers());
            let executed =
                venue
                    .sandbox
                    .execute_trigger(&market, &member.address, &keeper, kind, &makers);
            return venue.observe(executed);
        }
        let slot = venue.sandbox.position(&market, &member.address);
        let lots = slot.map_or(0, |slot| slot.lots.unsigned_abs());
        let args = PlaceTriggerArgs {
            kind,
            price_ticks: quote.ticks * self.random.gen_range(9_900..=10_100) / 10_000,
            worst_ticks: quote.ticks * self.random.gen_range(9_600..=10_400) / 10_000,
            lots,
        };
        let placed = venue.sandbox.place_trigger(&market, &member, args);
        venue.observe(placed)
    }

    /// A round or a session against anybody, by a list of their own.
    fn deleverage(&mut self, venue: &mut Venue) -> bool {
        let (market, keeper) = (venue.market.clone(), self.member(venue));
        let (bankrupt, other) = (self.anybody(venue).address, self.anybody(venue).address);
        if self.random.gen() {
            let opened = venue.sandbox.open_adl_session(&market, &bankrupt);
            return venue.observe(opened.map(|(_, outcome)| outcome));
        }
        let round = venue
            .sandbox
            .auto_deleverage(&market, &bankrupt, &keeper, &[other]);
        venue.observe(round)
    }
}
