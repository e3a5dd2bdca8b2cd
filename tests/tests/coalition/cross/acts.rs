//! What a coalition may do with legs: any call, in any order, at any fresh prices and any marks of the board.

use anchor_lang::prelude::Pubkey;
use ballast_client::instructions::anyone::Takeover;
use ballast_sandbox::{BlockTrade, Quote, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use rand::seq::SliceRandom;
use rand::Rng;

use super::values::MARKETS;
use super::venue::Venue;
use super::Counts;
use crate::attack::Attack;
use crate::venue::USD;

impl Attack {
    /// One call at prices of its choice.
    pub fn cross_call(&mut self, venue: &mut Venue, counts: &mut Counts) {
        self.choose_prices(venue);
        match self.below(46) {
            0..=3 => counts.pairs += u64::from(self.cross_pair(venue)),
            4 | 5 => counts.orders += u64::from(self.cross_order(venue)),
            6 => counts.withdrawals += u64::from(self.cross_transfer(venue)),
            7 | 30..=33 => counts.margin += u64::from(self.cross_margin(venue)),
            8..=10 => self.pool(venue, counts),
            11..=14 => self.convert(venue, counts),
            15 | 16 => counts.marks += u64::from(self.mark(venue)),
            17 => counts.records += u64::from(self.refresh(venue)),
            18 => counts.witnesses += u64::from(self.witness(venue)),
            19 => counts.flags += u64::from(self.flag(venue)),
            20..=22 => self.cross_liquidate(venue, counts),
            26..=29 => counts.leg_trades += u64::from(self.leg_trade(venue)),
            34..=37 => counts.leg_orders += u64::from(self.leg_waits(venue)),
            38..=41 => counts.leg_pairs += u64::from(self.leg_pair(venue)),
            42..=45 => counts.leg_fires += u64::from(self.leg_fires(venue)),
            23 | 24 => counts.rounds += u64::from(self.cross_round(venue)),
            _ => counts.frozen += u64::from(self.freeze(venue)),
        }
    }

    /// The newest price of each market, or any.
    fn choose_prices(&mut self, venue: &mut Venue) {
        for market in 0..MARKETS {
            let quote = self.a_price(venue, market);
            venue.post(market, quote);
        }
    }

    fn a_price(&mut self, venue: &Venue, market: usize) -> Quote {
        match self.random.gen_ratio(1, 2) {
            true => venue.newest(market),
            false => *venue
                .known(market)
                .choose(&mut self.random)
                .expect("a price"),
        }
    }

    /// One of the markets.
    pub fn market(&mut self) -> usize {
        self.random.gen_range(0..MARKETS)
    }

    /// A member of the coalition.
    pub fn one_of(&mut self, venue: &Venue) -> TraderCookie {
        let member = venue.coalition.choose(&mut self.random);
        member.expect("a coalition").clone()
    }

    /// Somebody in need of it, else anybody.
    fn somebody(&mut self, venue: &Venue) -> Pubkey {
        let everybody = venue.coalition.iter().chain(&venue.bystanders);
        let everybody: Vec<_> = everybody.map(|one| one.address).collect();
        let in_need: Vec<_> = everybody
            .iter()
            .filter(|one| venue.is_distressed(one))
            .collect();
        if let Some(one) = in_need.choose(&mut self.random) {
            return **one;
        }
        *everybody.choose(&mut self.random).expect("somebody")
    }

    /// All cross queues, or now and then some of them.
    fn some_queues(&mut self, venue: &Venue) -> Vec<Pubkey> {
        let mut queues = venue.queues();
        if self.random.gen_ratio(1, 4) {
            queues.retain(|_| self.random.gen());
        }
        queues
    }

    /// A block trade among members, anywhere in the band.
    pub fn cross_pair(&mut self, venue: &mut Venue) -> bool {
        let (number, taker, maker) = (self.market(), self.one_of(venue), self.one_of(venue));
        let market = venue.markets[number].clone();
        let lots = self.lots();
        let off = self.random.gen_range(0..=500);
        let sides = [10_000 - off, 10_000, 10_000 + off];
        let side = *sides.choose(&mut self.random).expect("a price");
        let price_ticks = venue.posted(number).ticks * side / 10_000;
        let signed = lots.cast_signed();
        let terms = BlockTrade {
            lots: if self.random.gen() { signed } else { -signed },
            price_ticks,
            taker_margin: self.backing(lots, price_ticks),
            maker_margin: self.backing(lots, price_ticks),
        };
        venue.fund(&taker, terms.taker_margin);
        venue.fund(&maker, terms.maker_margin);
        let traded = venue.sandbox.block_trade(&market, &taker, &maker, terms);
        venue.observe(format!("a pair of {} lots of {number}", terms.lots), traded)
    }

    /// A block trade among members of whom one or both trade a leg, anywhere in the band.
    fn leg_pair(&mut self, venue: &mut Venue) -> bool {
        let number = self.market();
        let (taker, maker) = (self.one_of(venue), self.one_of(venue));
        let able = |one: &TraderCookie| venue.isolated(number, &one.address).is_none();
        let legs = [able(&taker), able(&maker)].map(|able| able && self.random.gen_ratio(3, 4));
        let ticks = venue.posted(number).ticks;
        let price_ticks = ticks * self.random.gen_range(9_500..=10_500) / 10_000;
        // Up to twenty times the pools, or all that somebody has.
        let pools = [&taker, &maker].map(|one| venue.ledger.trader(&one.address).cross_pool.max(0));
        let most = 20 * pools.iter().sum::<i64>().unsigned_abs() / ticks;
        let lots = match venue.leg(number, &taker.address) {
            Some(lots) if self.random.gen() => -lots,
            _ => {
                let lots = self.lots().min(most.max(10)).cast_signed();
                if self.random.gen() {
                    lots
                } else {
                    -lots
                }
            }
        };
        let margin = legs.map(|leg| match leg {
            true => 0,
            false => self.backing(lots.unsigned_abs(), price_ticks),
        });
        let terms = BlockTrade {
            lots,
            price_ticks,
            taker_margin: margin[0],
            maker_margin: margin[1],
        };
        for (one, margin) in [&taker, &maker].into_iter().zip(margin) {
            venue.fund(one, margin);
        }
        let (market, queues) = (venue.markets[number].clone(), self.some_queues(venue));
        let (parties, sandbox) = ([&taker, &maker], &mut venue.sandbox);
        let traded = sandbox.block_trade_cross(&market, parties, terms, legs, &queues);
        venue.observe(
            format!("a block of {lots} lots of {number}, legs {legs:?}"),
            traded,
        )
    }

    /// An order into the book, one that waits in it, or the end of all orders.
    fn cross_order(&mut self, venue: &mut Venue) -> bool {
        let (number, member) = (self.market(), self.one_of(venue));
        let market = venue.markets[number].clone();
        if self.random.gen_ratio(1, 8) {
            let cancelled = venue.sandbox.cancel_all_orders(&market, &member, None);
            return venue.observe("orders cancelled", cancelled);
        }
        let kinds = [OrderKind::ImmediateOrCancel, OrderKind::Market];
        let (lots, ticks) = (self.lots(), venue.posted(number).ticks);
        let args = PlaceOrderArgs {
            side: match self.random.gen() {
                true => OrderSide::Bid,
                false => OrderSide::Ask,
            },
            kind: *kinds.choose(&mut self.random).expect("a kind"),
            price_ticks: ticks * self.random.gen_range(9_900..=10_100) / 10_000,
            lots,
            reduce_only: self.random.gen_ratio(1, 5),
            self_trade: SelfTrade::CancelProvide,
            ..PlaceOrderArgs::default()
        };
        if !args.reduce_only {
            venue.fund(&member, lots * ticks / 15);
        }
        let listed = venue.listed();
        let placed = venue.sandbox.place_order(&market, &member, args, &listed);
        venue.observe(format!("{:?} {:?} of {lots}", args.kind, args.side), placed)
    }

    /// A member's leg takes orders: those that wait, or one of another member anywhere in the band.
    fn leg_trade(&mut self, venue: &mut Venue) -> bool {
        let (number, other) = (self.market(), self.one_of(venue));
        let market = venue.markets[number].clone();
        let pool = |one: &TraderCookie| venue.ledger.trader(&one.address).cross_pool;
        let able = venue
            .coalition
            .iter()
            .filter(|one| pool(one) > 0 && venue.isolated(number, &one.address).is_none());
        let able: Vec<_> = able.cloned().collect();
        let Some(taker) = able.choose(&mut self.random).cloned() else {
            return false;
        };
        let ticks = venue.posted(number).ticks;
        // Up to twenty times the pool.
        let most = 20 * pool(&taker).unsigned_abs() / ticks;
        let lots = self.lots().min(most.max(1));
        let (side, against) = match self.random.gen() {
            true => (OrderSide::Bid, OrderSide::Ask),
            false => (OrderSide::Ask, OrderSide::Bid),
        };
        let mut makers = venue.makers();
        if other.address != taker.address && self.random.gen() {
            let waits = PlaceOrderArgs {
                side: against,
                price_ticks: ticks * self.random.gen_range(9_500..=10_500) / 10_000,
                lots,
                ..PlaceOrderArgs::default()
            };
            venue.fund(&other, lots * ticks / 10);
            let listed = venue.listed();
            let placed = venue.sandbox.place_order(&market, &other, waits, &listed);
            venue.observe("a member waits", placed);
        }
        if self.random.gen_ratio(1, 3) {
            makers.retain(|one| *one == other.address);
        }
        let kinds = [OrderKind::Market, OrderKind::ImmediateOrCancel];
        let args = PlaceOrderArgs {
            side,
            kind: *kinds.choose(&mut self.random).expect("a kind"),
            price_ticks: ticks * self.random.gen_range(9_500..=10_500) / 10_000,
            lots,
            reduce_only: self.random.gen_ratio(1, 3),
            ..PlaceOrderArgs::default()
        };
        let queues = self.some_queues(venue);
        let sandbox = &mut venue.sandbox;
        let traded = sandbox.trade_leg(&market, &taker, args, &queues, &makers);
        venue.observe(format!("a leg of {number} takes {side:?} {lots}"), traded)
    }

    /// A member's leg waits with an order anywhere in the band, or takes its orders back.
    fn leg_waits(&mut self, venue: &mut Venue) -> bool {
        let number = self.market();
        let market = venue.markets[number].clone();
        let able = venue
            .coalition
            .iter()
            .filter(|one| venue.isolated(number, &one.address).is_none());
        let able: Vec<_> = able.cloned().collect();
        let Some(member) = able.choose(&mut self.random).cloned() else {
            return false;
        };
        if self.random.gen_ratio(1, 4) {
            let cancelled = venue.sandbox.cancel_all_orders(&market, &member, None);
            venue.observe("a member's leg takes its orders back", cancelled);
            return false;
        }
        let (lots, ticks) = (self.lots(), venue.posted(number).ticks);
        let kinds = [OrderKind::Limit, OrderKind::Limit, OrderKind::PostOnly];
        let args = PlaceOrderArgs {
            side: match self.random.gen() {
                true => OrderSide::Bid,
                false => OrderSide::Ask,
            },
            kind: *kinds.choose(&mut self.random).expect("a kind"),
            price_ticks: ticks * self.random.gen_range(9_500..=10_500) / 10_000,
            lots,
            reduce_only: self.random.gen_ratio(1, 3),
            margin: self.random.gen_range(0..=lots * ticks / 8),
            ..PlaceOrderArgs::default()
        };
        // Free collateral for it, or what the pool has.
        if self.random.gen() {
            venue.fund(&member, lots * ticks / 10);
        }
        let (queues, makers) = (self.some_queues(venue), venue.makers());
        let sandbox = &mut venue.sandbox;
        let placed = sandbox.trade_leg(&market, &member, args, &queues, &makers);
        venue.observe(
            format!("a leg of {number} waits {:?} {lots}", args.side),
            placed,
        )
    }

    /// Tokens out, or back in.
    fn cross_transfer(&mut self, venue: &mut Venue) -> bool {
        let member = self.one_of(venue);
        let free = venue.ledger.trader(&member.address).free.unsigned_abs();
        let atoms = match self.random.gen() {
            true => free,
            false => self.random.gen_range(1..=5_000 * USD),
        };
        let out = self.random.gen();
        venue.transfer(&member, out, atoms)
    }

    /// Margin added to an isolated position or taken out.
    fn cross_margin(&mut self, venue: &mut Venue) -> bool {
        let (number, member) = (self.market(), self.one_of(venue));
        let market = venue.markets[number].clone();
        let atoms = self.random.gen_range(1..=2_000 * USD);
        let moved = match self.random.gen() {
            true => venue.sandbox.add_margin(&market, &member, atoms),
            false => venue.sandbox.remove_margin(&market, &member, atoms),
        };
        venue.observe("margin moved", moved)
    }

    /// Collateral into the pool or out of it.
    fn pool(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let member = self.one_of(venue);
        let pool = venue.ledger.trader(&member.address).cross_pool;
        let atoms = match self.random.gen_range(0..3) {
            0 => pool.max(1),
            1 => self.random.gen_range(1..=pool.max(1)),
            _ => self.random.gen_range(1..=3_000 * USD).cast_signed(),
        };
        let amount = if self.random.gen() { -atoms } else { atoms };
        let queues = self.some_queues(venue);
        let moved = venue.sandbox.move_cross(&member, amount, &queues);
        let done = venue.observe(format!("{amount} into the pool"), moved);
        match amount > 0 {
            true => counts.pooled += u64::from(done),
            false => counts.unpooled += u64::from(done),
        }
    }

    /// A position becomes a leg, or a leg a position with whatever margin.
    fn convert(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let (market, member) = (self.market(), self.one_of(venue));
        if venue.isolated(market, &member.address).is_some() {
            counts.joined += u64::from(self.join(venue, market, &member));
        } else if let Some(lots) = venue.leg(market, &member.address) {
            let margin = self.backing(lots.unsigned_abs(), venue.posted(market).ticks);
            counts.left += u64::from(self.part(venue, market, &member, margin));
        }
    }

    /// A member's position becomes a leg.
    pub fn join(&mut self, venue: &mut Venue, market: usize, member: &TraderCookie) -> bool {
        let (cookie, queues) = (venue.markets[market].clone(), self.some_queues(venue));
        let joined = venue.sandbox.to_cross(&cookie, member, &queues);
        venue.observe(format!("a position of {market} joins"), joined)
    }

    /// A member's leg becomes a position with so much margin.
    pub fn part(
        &mut self,
        venue: &mut Venue,
        market: usize,
        member: &TraderCookie,
        margin: u64,
    ) -> bool {
        let (cookie, queues) = (venue.markets[market].clone(), venue.queues());
        let left = venue.sandbox.to_isolated(&cookie, member, margin, &queues);
        venue.observe(format!("a leg of {market} leaves with {margin}"), left)
    }

    /// The board hears of a price of choice.
    fn mark(&mut self, venue: &mut Venue) -> bool {
        let markets: &[usize] = match self.below(3) {
            0 => &[0],
            1 => &[1],
            _ => &[0, 1],
        };
        venue.record(markets)
    }

    /// Records of anybody's legs anew.
    pub fn refresh(&mut self, venue: &mut Venue) -> bool {
        let (market, queues) = (self.market(), self.some_queues(venue));
        let listed: Vec<_> = (0..self.random.gen_range(1..3))
            .map(|_| self.somebody(venue))
            .filter(|one| venue.leg(market, one).is_some())
            .collect();
        let cookie = venue.markets[market].clone();
        let renewed = venue.sandbox.refresh_ranks(&cookie, &queues, &listed);
        venue.observe("records renewed", renewed)
    }

    /// Members are shown too weak for a round against anybody.
    pub fn witness(&mut self, venue: &mut Venue) -> bool {
        let (market, bankrupt) = (self.market(), self.somebody(venue));
        let cookie = venue.markets[market].clone();
        let members = venue.coalition.iter().map(|member| member.address);
        let listed: Vec<_> = members
            .filter(|one| *one != bankrupt && venue.leg(market, one).is_some())
            .collect();
        let queues = venue.queues();
        let mut done = false;
        for one in listed {
            let sandbox = &mut venue.sandbox;
            let shown = sandbox.witness_ranks(&cookie, &bankrupt, &queues, &[one]);
            done |= venue.observe("a witness", shown);
        }
        done
    }

    /// A leg or a position is flagged.
    fn flag(&mut self, venue: &mut Venue) -> bool {
        let (market, account) = (self.market(), self.somebody(venue));
        let cookie = venue.markets[market].clone();
        let flagged = match venue.leg(market, &account) {
            Some(_) => venue.sandbox.flag_leg(&cookie, &account),
            None => venue.sandbox.flag_bankruptcy(&cookie, &account),
        };
        venue.observe("a flag", flagged)
    }

    /// Anybody is liquidated by a member, with the book or without.
    fn cross_liquidate(&mut self, venue: &mut Venue, counts: &mut Counts) {
        let (market, victim) = (self.market(), self.somebody(venue));
        let margin = self.random.gen_range(0..=5_000 * USD);
        let offer = match self.random.gen_range(0..3) {
            0 => Takeover::with_margin(margin),
            1 => Takeover::of_lots(self.random.gen_range(10..1_000), margin),
            _ => Takeover::none(),
        };
        let leg = venue.leg(market, &victim).is_some();
        let done = self.seize(venue, market, &victim, offer);
        match leg {
            true => counts.legs += u64::from(done),
            false => counts.liquidations += u64::from(done),
        }
    }

    /// A member liquidates an account in a market with this offer.
    pub fn seize(
        &mut self,
        venue: &mut Venue,
        market: usize,
        victim: &Pubkey,
        offer: Takeover,
    ) -> bool {
        let (cookie, liquidator) = (venue.markets[market].clone(), self.one_of(venue));
        let (makers, listed) = match self.random.gen() {
            true => (venue.makers(), venue.listed()),
            false => (Vec::new(), Vec::new()),
        };
        if offer.margin > 0 {
            venue.fund(&liquidator, offer.margin);
        }
        let (leg, queues) = (venue.leg(market, victim).is_some(), venue.queues());
        let sandbox = &mut venue.sandbox;
        let result = match leg {
            true => sandbox.liquidate_leg(&cookie, victim, &liquidator, offer, &queues, &makers),
            false => sandbox.liquidate_into_book(&cookie, victim, &liquidator, offer, &listed),
        };
        venue.observe("a member liquidates", result)
    }

    /// A round against anybody, by a list of their own or by the right one; what the market holds released.
    fn cross_round(&mut self, venue: &mut Venue) -> bool {
        let (market, bankrupt) = (self.market(), self.somebody(venue));
        let (cookie, keeper) = (venue.markets[market].clone(), self.one_of(venue));
        let list = match self.below(4) {
            0 => vec![self.somebody(venue)],
            1 => vec![self.somebody(venue), self.somebody(venue)],
            2 => venue
                .round(market, &bankrupt)
                .map_or_else(Vec::new, |plan| plan.counterparties),
            _ => {
                let all: Vec<_> = venue.coalition.iter().map(|one| one.address).collect();
                let released = venue.sandbox.release_profit(&cookie, &all);
                return venue.observe("a release", released);
            }
        };
        let queues = venue.queues();
        let sandbox = &mut venue.sandbox;
        let round = sandbox.auto_deleverage_cross(&cookie, &bankrupt, &keeper, &queues, &list);
        venue.observe("a round", round)
    }

    fn freeze(&mut self, venue: &mut Venue) -> bool {
        let cookie = venue.markets[self.market()].clone();
        let frozen = venue.sandbox.freeze_mark(&cookie);
        venue.observe("a mark is frozen", frozen)
    }
}
