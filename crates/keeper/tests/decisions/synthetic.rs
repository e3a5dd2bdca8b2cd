//! A market made up of a few positions, its lists and a keeper.

use anchor_lang::prelude::{Clock, Pubkey};
use ballast_client::instructions::MarketKeys;
use ballast_engine::book::{book_size, Book, BookRef, NewOrder, OwnOrders};
use ballast_engine::fixtures::risk::{small_market, step, tier};
use ballast_engine::oracle::OraclePrice;
use ballast_engine::pool::PoolParams;
use ballast_engine::price_levels::margin_ratio_bps;
use ballast_engine::protection::ProtectiveStep;
use ballast_engine::queue::{queue_size, Queue, QueueRef};
use ballast_engine::risk::{AdlParams, LadderStep, RiskParams, RiskTier};
use ballast_engine::units::{LotPrice, Side, Ticks};
use ballast_keeper::evaluate::{evaluate, Conditions, Evaluation, Job};
use ballast_keeper::market::MarketState;
use ballast_keeper::plan::{plan, Fill, LegMakers, Lists, Own, PlanError, PlanOptions, Planned};
use ballast_state::market::{Market, MARKET_VERSION};
use ballast_state::pool::Pool;
use ballast_state::position_slot::PositionSlot;
use ballast_state::protection::Protection;
use ballast_state::trader::Trader;
use bytemuck::Zeroable;

pub const SLOT: u64 = 1_000;
pub const TIME: i64 = 1_760_128_200;

/// Nothing paused, funding every minute.
pub const CALM: Conditions = Conditions {
    pause_flags: 0,
    funding_seconds: 60,
    sync_pool_bps: 1_000,
};

/// Lots, price of entry, margin.
pub type Held = (i64, u64, i64);

/// A market at a price, with the lists that belong to it.
pub struct Synthetic {
    pub state: MarketState,
    pub clock: Clock,
    pub own: Trader,
    pub options: PlanOptions,
    /// What the keeper is about to take over.
    pub promised: Vec<Fill>,
    queues: [Vec<u64>; 2],
    book: Vec<u64>,
}

/// A key that says which it is.
pub fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

/// The keeper's trader account.
pub fn own_address() -> Pubkey {
    key(250)
}

impl Synthetic {
    /// An empty market at `ticks`; ticks are atoms per lot.
    pub fn at(ticks: u64) -> Self {
        let keys = MarketKeys {
            market: key(201),
            queue_long: key(202),
            queue_short: key(203),
            book: key(204),
            price: key(205),
        };
        let queue = |side| {
            let mut words = vec![0; queue_size(64).unwrap() / 8];
            let bytes = bytemuck::cast_slice_mut(&mut words);
            Queue::create(bytes, keys.market.to_bytes(), side).unwrap();
            words
        };
        let mut book = vec![0; book_size(64).unwrap() / 8];
        Book::create(bytemuck::cast_slice_mut(&mut book), keys.market.to_bytes()).unwrap();
        let mut own = Trader::zeroed();
        own.free = 1_000_000;
        let mut synthetic = Self {
            state: MarketState::new(keys, market()),
            clock: Clock {
                slot: SLOT,
                unix_timestamp: TIME,
                ..Clock::default()
            },
            own,
            options: PlanOptions::default(),
            promised: Vec::new(),
            queues: [queue(Side::Long), queue(Side::Short)],
            book,
        };
        synthetic.price(ticks, ticks);
        synthetic
    }

    /// Publishes a price with a moving average.
    pub fn price(&mut self, ticks: u64, ema: u64) {
        let price = OraclePrice {
            price: Ticks::new(ticks),
            confidence: Ticks::new(0),
            ema: Ticks::new(ema),
            publish_time: self.clock.unix_timestamp,
            below_tick: false,
        };
        assert!(self.state.apply_price(price, self.clock.slot));
    }

    /// A position of the trader with this number.
    pub fn hold(&mut self, trader: u8, held: Held) -> &mut Self {
        self.hold_with(trader, held, |_| {})
    }

    /// The same with more written into its slot.
    pub fn hold_with(
        &mut self,
        trader: u8,
        (lots, entry, margin): Held,
        write: impl Fn(&mut PositionSlot),
    ) -> &mut Self {
        let mut account = Trader::zeroed();
        let slot = &mut account.positions[0];
        slot.market = self.state.address;
        slot.lots = lots;
        slot.entry_quote = lots * i64::try_from(entry).unwrap();
        slot.margin = margin;
        write(slot);
        let words = match lots > 0 {
            true => &mut self.queues[0],
            false => &mut self.queues[1],
        };
        let mut queue = Queue::new(bytemuck::cast_slice_mut(words)).unwrap();
        let position = slot.position().unwrap();
        slot.queue_node = queue.insert([trader; 32], &position).unwrap();
        self.state.apply_trader(&key(trader), &account).unwrap();
        self
    }

    /// One protective step of the trader with this number, set when its position had `base_lots`: below
    /// `ratio_bps` 40 of 100 lots stay open; the fills within 2 % of the mark.
    pub fn protect(&mut self, trader: u8, ratio_bps: u32, base_lots: i64) -> &mut Self {
        let mut steps = Protection {
            market: self.state.address,
            trader: key(trader),
            ..Protection::zeroed()
        };
        let step = ProtectiveStep {
            ratio_bps,
            keep_bps: 4_000,
        };
        steps.set(&[step], 200, base_lots, 77).unwrap();
        assert!(self.state.protections.apply(&steps));
        self
    }

    /// Margin ratio of the trader with this number, basis points.
    pub fn ratio_bps(&self, trader: u8) -> u32 {
        let present = self.state.at(&self.clock).unwrap();
        let record = self.state.positions.get(&key(trader)).unwrap();
        let position = present.settled(record).unwrap();
        let params = self.state.market.params();
        let ratio = margin_ratio_bps(&position, present.mark.price, params).unwrap();
        u32::try_from(ratio.unwrap()).unwrap()
    }

    /// An order of the trader with this number, who has no other.
    pub fn order(&mut self, trader: u8, side: Side, price: u64, lots: u64) -> &mut Self {
        let mut book = Book::new(bytemuck::cast_slice_mut(&mut self.book)).unwrap();
        let order = NewOrder {
            trader: [trader; 32],
            side,
            price: LotPrice::new(price).unwrap(),
            lots,
            margin: 0,
            reduce_only: false,
            expires_at: 0,
            client_id: 0,
        };
        book.insert(&order, &mut OwnOrders::EMPTY.clone()).unwrap();
        self
    }

    pub fn evaluate(&self) -> Evaluation {
        self.evaluate_under(&CALM)
    }

    pub fn evaluate_under(&self, conditions: &Conditions) -> Evaluation {
        evaluate(&self.state, &self.clock, conditions).unwrap()
    }

    /// The only job there is.
    #[track_caller]
    pub fn job(&self) -> Job {
        let jobs = self.evaluate().jobs;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs[0]
    }

    #[track_caller]
    pub fn plan(&self, job: &Job) -> Planned {
        self.try_plan(job, &self.lists()).unwrap()
    }

    pub fn try_plan(&self, job: &Job, lists: &Lists<'_>) -> Result<Planned, PlanError> {
        let own = Own {
            payer: key(251),
            authority: key(251),
            address: own_address(),
            trader: &self.own,
            makers: LegMakers::none(),
            promised: &self.promised,
            tables: &[],
            options: &self.options,
        };
        plan(job, &self.state.at(&self.clock).unwrap(), lists, &own)
    }

    pub fn lists(&self) -> Lists<'_> {
        let queue = |words| QueueRef::new(bytemuck::cast_slice(words)).unwrap();
        Lists {
            book: Some(BookRef::new(bytemuck::cast_slice(&self.book)).unwrap()),
            queue_long: Some(queue(&self.queues[0])),
            queue_short: Some(queue(&self.queues[1])),
            cross: None,
        }
    }

    /// A pool with so much free collateral that takes up to all of it at any discount; a position of it where
    /// it is given.
    pub fn back(&mut self, free: i64, held: Option<Held>) -> &mut Self {
        let mut pool = Pool::zeroed();
        pool.market = self.state.address;
        pool.trader = self.state.backstop.trader;
        pool.params = PoolParams {
            cap_bps: 10_000,
            reserve_first_bps: 0,
            reserve_last_bps: 0,
            ..PoolParams::DEFAULT
        };
        self.state.backstop.apply(Some(pool));
        let mut account = Trader::zeroed();
        account.free = free;
        if let Some((lots, entry, margin)) = held {
            let slot = &mut account.positions[0];
            slot.market = self.state.address;
            slot.lots = lots;
            slot.entry_quote = lots * i64::try_from(entry).unwrap();
            slot.margin = margin;
        }
        let address = self.state.backstop.trader;
        self.state.apply_trader(&address, &account).unwrap();
        self
    }

    /// Changes the pool.
    pub fn pool(&mut self, change: impl FnOnce(&mut Pool)) -> &mut Self {
        change(self.state.backstop.pool.as_mut().unwrap());
        self
    }

    pub fn insure(&mut self, atoms: u64) -> &mut Self {
        self.state.market.insurance.balance = atoms;
        self
    }
}

fn market() -> Market {
    let mut market = Market {
        version: MARKET_VERSION,
        risk: risk(),
        ..Market::zeroed()
    };
    market.oracle.atoms_per_lot_tick = 1;
    market.funding.last_timestamp = TIME;
    market
}

/// Maintenance of 5%, initial margin of 10%, no fees and no funding; a step above half of
/// maintenance closes a fifth.
fn risk() -> RiskParams {
    let (usual, no_tier, no_step) = (small_market(), RiskTier::default(), LadderStep::default());
    RiskParams {
        tiers: [tier(1_000_000_000, 1_000, 500), no_tier, no_tier, no_tier],
        tier_count: 1,
        ladder: [step(5_000, 2_000), no_step, no_step, no_step],
        ladder_count: 1,
        min_position_lots: 1,
        liquidation_fee_bps: 0,
        taker_fee_bps: 0,
        maker_fee_bps: 0,
        insurance_fee_share_bps: 0,
        funding_rate_ppm_per_hour: 0,
        insurance_draw_cap_bps: 10_000,
        adl: AdlParams {
            grace_slots: 150,
            ..usual.adl
        },
        ..usual
    }
}
