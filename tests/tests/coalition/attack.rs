//! What a coalition may do: any call, in any order, at any fresh price.

use ballast_client::instructions::anyone::Takeover;
use ballast_engine::protection::ProtectiveStep;
use ballast_sandbox::{BlockTrade, Quote, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::{PlaceTriggerArgs, SetProtectionArgs};
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::trigger::TriggerKind;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::venue::{Venue, USD};

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
    protections: u64,
    rounds: u64,
    /// Of all, those at another price than the newest.
    older: u64,
    /// Those of a key.
    authority: u64,
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
            self.protections,
            self.rounds,
            self.older,
            self.authority,
        ];
        assert!(each.iter().all(|count| *count > 0), "{self:?}");
    }

    /// Fails unless there were trades, orders, and margin and collateral that left.
    pub fn require_trades(&self) {
        let each = [self.pairs, self.orders, self.margin, self.withdrawals];
        assert!(each.iter().all(|count| *count > 0), "{self:?}");
    }

    /// Counts acts of a key.
    pub fn add_authority(&mut self, acts: u64) {
        self.authority += acts;
    }
}

/// The source of a coalition's acts.
pub struct Attack {
    pub(crate) random: ChaCha8Rng,
    falls: bool,
    /// The most that a price moves, in millionths.
    most_ppm: u64,
    /// Whether its own orders may wait in the book.
    rests: bool,
    /// Prices for which it, and the honest maker, will do nothing.
    waits: u32,
}

impl Attack {
    /// Of a seed: prices move by a third of maintenance margin at most, or by less where the coalition's own
    /// orders wait in the book, whose fills need maintenance margin only.
    pub fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (falls, rests) = (random.gen(), seed % 2 == 1);
        Self {
            random,
            falls,
            most_ppm: if rests { 4_500 } else { 8_000 },
            rests,
            waits: 0,
        }
    }

    /// Of a seed: prices move by so many millionths at most, and its own orders do not wait in the book.
    pub fn of(seed: u64, most_ppm: u64) -> Self {
        Self {
            most_ppm,
            rests: false,
            ..Self::new(seed)
        }
    }

    /// The next price: trends that turn now and then.
    pub fn next_price(&mut self, ticks: u64) -> u64 {
        let turns = if self.waits > 0 { 60 } else { 12 };
        if self.random.gen_ratio(1, turns) {
            self.falls = !self.falls;
        }
        let most = ticks * self.most_ppm / 1_000_000;
        let moved = match self.random.gen_ratio(2, 3) {
            true => most,
            false => self.random.gen_range(0..=most),
        };
        match self.falls {
            true => ticks - moved,
            false => ticks + moved,
        }
    }

    /// Whether it waits for prices to move: now and then for up to a minute.
    pub fn is_patient(&mut self) -> bool {
        if self.waits == 0 && self.random.gen_ratio(1, 10) {
            self.waits = self.random.gen_range(4..32);
        }
        self.waits = self.waits.saturating_sub(1);
        self.waits > 0
    }

    /// Waits for the price to move by so many steps.
    pub fn wait(&mut self, prices: u32) {
        self.waits = prices;
    }

    /// Whether its own orders may wait in the book.
    pub const fn rests(&self) -> bool {
        self.rests
    }

    /// Where prices go.
    pub const fn falls(&self) -> bool {
        self.falls
    }

    /// A number below another.
    pub fn below(&mut self, end: u32) -> u32 {
        self.random.gen_range(0..end)
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
        let quote = self.choose_price(venue);
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
                let done = venue.observe("a flag", flagged);
                counts.flags += u64::from(done);
                done
            }
            14..=16 => {
                let done = self.liquidate(venue);
                counts.liquidations += u64::from(done);
                done
            }
            17 => {
                let done = self.trigger(venue, &quote);
                counts.triggers += u64::from(done);
                done
            }
            18 => self.protection(venue, counts),
            _ => {
                let done = self.deleverage(venue);
                counts.rounds += u64::from(done);
                done
            }
        };
        counts.older += u64::from(done && quote != venue.newest());
    }

    /// One call of those that stay among members: pairs, transfers, margin, flags.
    pub fn call_inside(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let quote = self.choose_price(venue);
        venue.post(quote);
        match self.below(5) {
            0 | 1 => counts.pairs += u64::from(self.pair(venue, &quote)),
            2 => counts.withdrawals += u64::from(self.transfer(venue)),
            3 => counts.margin += u64::from(self.margin(venue)),
            _ => counts.rounds += u64::from(self.deleverage(venue)),
        }
    }

    /// One call after a jump: mostly those who won leave, at the newest price.
    pub fn call_after_a_gap(&mut self, venue: &mut Venue, counts: &mut Counts) {
        match self.below(4) {
            0 => self.call(venue, counts),
            1 => {
                let winner = self.member(venue);
                self.leave(venue, &winner);
            }
            2 => {
                venue.post(venue.newest());
                counts.liquidations += u64::from(self.liquidate(venue));
            }
            _ => {
                venue.post(venue.newest());
                counts.rounds += u64::from(self.deleverage(venue));
            }
        }
    }

    /// The newest price, or any.
    fn choose_price(&mut self, venue: &Venue) -> Quote {
        match self.random.gen_ratio(1, 2) {
            true => venue.newest(),
            false => *venue.known().choose(&mut self.random).expect("a price"),
        }
    }

    /// A member of the coalition.
    pub fn member(&mut self, venue: &Venue) -> TraderCookie {
        let member = venue.coalition.choose(&mut self.random);
        member.expect("a coalition").clone()
    }

    /// Somebody in need of it, else anybody: a member more often than the honest maker.
    fn anybody(&mut self, venue: &Venue) -> TraderCookie {
        let victims = venue.coalition.iter().chain(&venue.leveraged);
        let in_need: Vec<_> = victims
            .filter(|one| venue.is_distressed(&one.address))
            .collect();
        if let Some(one) = in_need.choose(&mut self.random) {
            return (*one).clone();
        }
        match self.random.gen_range(0..8) {
            0 => Some(venue.maker.clone()),
            1 | 2 => venue.leveraged.choose(&mut self.random).cloned(),
            _ => None,
        }
        .unwrap_or_else(|| self.member(venue))
    }

    /// A size.
    pub fn lots(&mut self) -> u64 {
        let most = [20, 200, 5_000, 100_000, 900_000];
        let most = *most.choose(&mut self.random).expect("a size");
        self.random.gen_range(10..=most)
    }

    /// Margin for a trade: hardly enough, or more.
    pub fn backing(&mut self, lots: u64, ticks: u64) -> u64 {
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
        venue.fund(&taker, terms.taker_margin);
        venue.fund(&maker, terms.maker_margin);
        let market = venue.market.clone();
        let traded = venue.sandbox.block_trade(&market, &taker, &maker, terms);
        venue.observe(format!("a pair of {} lots", terms.lots), traded)
    }

    /// An order, against the book or into it, or the end of all orders.
    fn order(&mut self, venue: &mut Venue, quote: &Quote) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        if self.random.gen_ratio(1, 8) {
            let cancelled = venue.sandbox.cancel_all_orders(&market, &member, None);
            return venue.observe("orders cancelled", cancelled);
        }
        let kinds = [
            OrderKind::ImmediateOrCancel,
            OrderKind::Market,
            OrderKind::Limit,
            OrderKind::PostOnly,
        ];
        let kinds = if self.rests { &kinds } else { &kinds[..2] };
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
        if !args.reduce_only {
            venue.fund(&member, lots * quote.ticks / 15);
        }
        let makers = venue.makers();
        let placed = venue.sandbox.place_order(&market, &member, args, &makers);
        venue.observe(format!("{:?} {:?} of {lots}", args.kind, args.side), placed)
    }

    /// Tokens out, or back in.
    fn transfer(&mut self, venue: &mut Venue) -> bool {
        let member = self.member(venue);
        let free = u64::try_from(venue.sandbox.trader(&member.address).free).expect("free");
        let atoms = match self.random.gen() {
            true => free,
            false => self.random.gen_range(1..=5_000 * USD),
        };
        let out = self.random.gen();
        venue.transfer(&member, out, atoms)
    }

    /// Margin added or taken out.
    pub fn margin(&mut self, venue: &mut Venue) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        let atoms = self.random.gen_range(1..=2_000 * USD);
        let moved = match self.random.gen() {
            true => venue.sandbox.add_margin(&market, &member, atoms),
            false => venue.sandbox.remove_margin(&market, &member, atoms),
        };
        venue.observe("margin moved", moved)
    }

    /// Of anybody, by a member, with the book or without.
    fn liquidate(&mut self, venue: &mut Venue) -> bool {
        let (market, liquidator) = (venue.market.clone(), self.member(venue));
        let victim = self.anybody(venue);
        let makers = match self.random.gen() {
            true => venue.makers(),
            false => Vec::new(),
        };
        let margin = self.random.gen_range(0..=5_000 * USD);
        let offer = match self.random.gen_range(0..3) {
            0 => Takeover::with_margin(margin),
            1 => Takeover::of_lots(self.random.gen_range(10..1_000), margin),
            _ => Takeover::none(),
        };
        if offer.margin > 0 {
            venue.fund(&liquidator, margin);
        }
        let victim = victim.address;
        let liquidated =
            venue
                .sandbox
                .liquidate_into_book(&market, &victim, &liquidator, offer, &makers);
        venue.observe("a liquidation", liquidated)
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
            return venue.observe("a trigger executed", executed);
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
        venue.observe("a trigger", placed)
    }

    /// Protective steps are set, of a member above the margin ratio that it has, or executed.
    fn protection(&mut self, venue: &mut Venue, counts: &mut Counts) -> bool {
        let (market, member) = (venue.market.clone(), self.member(venue));
        if self.random.gen() {
            let (keeper, makers) = (self.member(venue), venue.makers());
            let executed =
                venue
                    .sandbox
                    .execute_protection(&market, &member.address, &keeper, &makers);
            let done = venue.observe("a protective step executed", executed);
            counts.protections += u64::from(done);
            return done;
        }
        let step = |ratio_bps, keep_bps| ProtectiveStep {
            ratio_bps,
            keep_bps,
        };
        let args = SetProtectionArgs {
            steps: vec![
                step(self.random.gen_range(15_000..=100_000), 5_000),
                step(self.random.gen_range(10_001..=14_999), 0),
            ],
            slip_bps: self.random.gen_range(1..=500),
        };
        // It fails where the account is open already.
        let opened = venue.sandbox.create_protection(&market, &member);
        venue.observe("an account for steps", opened);
        let set = venue.sandbox.set_protection(&market, &member, args);
        venue.observe("protective steps", set)
    }

    /// A round or a session against anybody, by a list of their own or by the right one; what the market
    /// holds released.
    fn deleverage(&mut self, venue: &mut Venue) -> bool {
        let (market, keeper) = (venue.market.clone(), self.member(venue));
        let (bankrupt, other) = (self.anybody(venue).address, self.anybody(venue).address);
        match self.random.gen_range(0..4) {
            0 => {
                let opened = venue.sandbox.open_adl_session(&market, &bankrupt);
                venue.observe("a session", opened.map(|(_, outcome)| outcome))
            }
            1 => {
                let round = venue
                    .sandbox
                    .auto_deleverage(&market, &bankrupt, &keeper, &[other]);
                venue.observe("a round", round)
            }
            2 => {
                let list = venue.ranked(&bankrupt).unwrap_or_default();
                let round = venue
                    .sandbox
                    .auto_deleverage(&market, &bankrupt, &keeper, &list);
                venue.observe("a round in order", round)
            }
            _ => self.release(venue),
        }
    }

    /// What the market holds of members' profits is released, as far as it is.
    pub fn release(&self, venue: &mut Venue) -> bool {
        let all: Vec<_> = venue.coalition.iter().map(|one| one.address).collect();
        let market = venue.market.clone();
        let released = venue.sandbox.release_profit(&market, &all);
        venue.observe("a release", released)
    }
}
