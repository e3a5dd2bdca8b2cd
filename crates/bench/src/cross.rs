//! Cross margin: the board, the pool, and legs amid filled cross queues.

mod blocks;
mod firing;

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::addresses;
use ballast_client::instructions::anyone::Takeover;
use ballast_engine::cross::entry::Moment;
use ballast_engine::cross::queue::CrossQueue;
use ballast_engine::position::Position;
use ballast_engine::units::{Atoms, FundingIndex, Lots, Side};
use ballast_sandbox::{
    BlockTrade, CrossCookie, MarketConfig, MarketCookie, MintKind, Sandbox, TraderCookie,
};
use ballast_state::book_account::OrderSide;
use ballast_state::cross::EnableCrossArgs;
use ballast_state::market::Market;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use solana_account::Account;

use crate::admin::options;
use crate::figure::Figure;
use crate::forge;
use crate::meter::Meter;
use crate::venue::{START, USD};

/// Markets on the board.
const MARKETS: usize = 4;
/// Counterparties of a round.
const LISTED: usize = 10;
/// Legs of strangers in each cross queue of the first market.
const OTHERS: [u32; 2] = [0, 10_000];
/// Lots of a large position, 10 SOL.
const TEN: i64 = 10_000;

const ALLOWED: EnableCrossArgs = EnableCrossArgs {
    most_lots: 1_000_000_000,
    draw_cap_bps: 2_500,
    max_age_slots: 100,
};

/// Four markets with cross margin, and who trades in them.
struct Floor {
    sandbox: Sandbox,
    markets: Vec<(MarketCookie, CrossCookie)>,
    alice: TraderCookie,
    bob: TraderCookie,
}

impl Floor {
    fn new(program: &Path, others: u32) -> Result<Self> {
        let options = options(program, MintKind::Classic);
        let mut config = MarketConfig::sol();
        config.risk.adl.max_close_bps = 10_000;
        (config.risk.ladder, config.risk.ladder_count) = (Default::default(), 0);
        let (mut sandbox, first) = Sandbox::with_market(&options, &config)?;
        sandbox.create_board()?;
        let mut markets = vec![first];
        while markets.len() < MARKETS {
            markets.push(sandbox.create_market(&config)?);
        }
        let alice = sandbox.create_trader(100_000 * USD)?;
        let bob = sandbox.create_trader(1_000_000 * USD)?;
        let mut floor = Self {
            sandbox,
            markets: Vec::new(),
            alice,
            bob,
        };
        for market in markets {
            let room = usize::try_from(others)? + 64;
            let queues = floor.sandbox.create_cross_queues(room)?;
            floor.sandbox.enable_cross(&market, &queues, ALLOWED)?;
            floor.markets.push((market, queues));
        }
        floor.fill(others)?;
        Ok(floor)
    }

    fn fork(&self) -> Self {
        Self {
            sandbox: self.sandbox.fork(),
            markets: self.markets.clone(),
            alice: self.alice.clone(),
            bob: self.bob.clone(),
        }
    }

    /// Legs that lose, of accounts that hold all that they are worth, in both cross queues of the first market.
    fn fill(&mut self, others: u32) -> Result<()> {
        let (market, queues) = self.markets[0].clone();
        for side in [Side::Long, Side::Short] {
            let address = queues.of(side);
            let mut account = self.sandbox.account(&address).context("a cross queue")?;
            account.data = filled(&account.data, side, others, self.sandbox.slot())?;
            self.sandbox.set_account(&address, account);
        }
        let legs = u16::try_from(2 * others)?;
        forge::change(
            &mut self.sandbox,
            &market.keys.market,
            |state: &mut Market| {
                state.cross_legs = legs;
            },
        )
    }

    /// The cross queues of the first so many markets.
    fn queues(&self, markets: usize) -> Vec<Pubkey> {
        let some = self.markets.iter().take(markets);
        some.flat_map(|(_, queues)| queues.both()).collect()
    }

    /// Opens a position against bob and makes it a leg.
    fn leg(&mut self, trader: &TraderCookie, at: usize, lots: i64, margin: u64) -> Result<()> {
        self.isolated(trader, at, lots, margin)?;
        let (market, queues) = (self.markets[at].0.clone(), self.queues(at + 1));
        self.sandbox.to_cross(&market, trader, &queues)?;
        Ok(())
    }

    /// So many makers who offer 10 SOL together in a market; their addresses.
    fn asks(&mut self, at: usize, makers: u64) -> Result<Vec<Pubkey>> {
        let market = self.markets[at].0.clone();
        let mut list = Vec::new();
        for _ in 0..makers {
            let maker = self.sandbox.create_trader(10_000 * USD)?;
            let ask = PlaceOrderArgs {
                side: OrderSide::Ask,
                price_ticks: START,
                lots: TEN.unsigned_abs() / makers,
                ..PlaceOrderArgs::default()
            };
            self.sandbox.place_order(&market, &maker, ask, &[])?;
            list.push(maker.address);
        }
        Ok(list)
    }

    /// So many makers with legs in all markets but that one, whose legs offer 10 SOL together in it; their addresses.
    fn leg_asks(&mut self, at: usize, makers: u64) -> Result<Vec<Pubkey>> {
        let (market, queues) = (self.markets[at].0.clone(), self.queues(MARKETS));
        let mut list = Vec::new();
        for _ in 0..makers {
            let maker = self.sandbox.create_trader(10_000 * USD)?;
            for other in (0..MARKETS).filter(|other| *other != at) {
                self.leg(&maker, other, TEN, 110 * USD)?;
            }
            let ask = PlaceOrderArgs {
                side: OrderSide::Ask,
                price_ticks: START,
                lots: TEN.unsigned_abs() / makers,
                ..PlaceOrderArgs::default()
            };
            self.sandbox.trade_leg(&market, &maker, ask, &queues, &[])?;
            list.push(maker.address);
        }
        Ok(list)
    }

    fn isolated(&mut self, trader: &TraderCookie, at: usize, lots: i64, margin: u64) -> Result<()> {
        let terms = BlockTrade {
            lots,
            price_ticks: START,
            taker_margin: margin,
            maker_margin: 500 * USD,
        };
        let (market, bob) = (self.markets[at].0.clone(), self.bob.clone());
        self.sandbox.block_trade(&market, trader, &bob, terms)?;
        Ok(())
    }

    /// Somebody with so many legs of 10 SOL, each over $110.
    fn with_legs(&mut self, count: usize) -> Result<TraderCookie> {
        let maker = self.sandbox.create_trader(10_000 * USD)?;
        (0..count).try_for_each(|at| self.leg(&maker, at, TEN, 110 * USD))?;
        Ok(maker)
    }

    /// Alice with so many legs of 10 SOL, each over $110.
    fn legs(&mut self, count: usize) -> Result<()> {
        let alice = self.alice.clone();
        (0..count).try_for_each(|at| self.leg(&alice, at, TEN, 110 * USD))
    }

    /// Time passes; the first market stands at this price, the others where they did, and the board knows.
    fn prices(&mut self, ticks: u64) -> Result<()> {
        self.sandbox.advance_slots(50);
        let markets: Vec<_> = self
            .markets
            .iter()
            .map(|(market, _)| market.clone())
            .collect();
        for (at, market) in markets.iter().enumerate() {
            self.sandbox
                .set_price(market, if at == 0 { ticks } else { START });
        }
        let all: Vec<_> = markets.iter().collect();
        self.sandbox.record_marks(&all)?;
        Ok(())
    }
}

/// The bytes of a cross queue with so many legs more.
fn filled(data: &[u8], side: Side, others: u32, slot: u64) -> Result<Vec<u8>> {
    let (discriminator, body) = data.split_at(8);
    let mut words = vec![0_u64; body.len() / 8];
    bytemuck::cast_slice_mut(&mut words).copy_from_slice(&body[..words_len(body)]);
    let mut queue = CrossQueue::new(bytemuck::cast_slice_mut(&mut words))?;
    for number in 0..others {
        // Losers at every price of the benchmark, in an order that makes no tree degenerate.
        let spread = u64::from(number.wrapping_mul(2_654_435_761) >> 8) % (START / 10);
        let entry = i64::try_from(match side {
            Side::Long => START * 11 / 10 + spread,
            Side::Short => START * 7 / 10 + spread,
        })?;
        let lots = i64::from(100 + number % 1_000);
        let lots = if side == Side::Long { lots } else { -lots };
        let position = Position {
            lots: Lots::new(lots)?,
            entry_quote: Atoms::new(lots * entry),
            margin: Atoms::new(lots.abs() * entry),
            funding_index: FundingIndex::ZERO,
        };
        queue.insert([7; 32], &position, Moment { base: 0, slot })?;
    }
    Ok([discriminator, bytemuck::cast_slice(&words)].concat())
}

const fn words_len(body: &[u8]) -> usize {
    body.len() / 8 * 8
}

/// Orders of legs: one that waits, and some that a leg and an isolated position take.
fn of_makers(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    let (at, order) = (
        MARKETS - 1,
        PlaceOrderArgs {
            kind: OrderKind::Market,
            lots: TEN.unsigned_abs(),
            ..PlaceOrderArgs::default()
        },
    );
    meter.measure(&format!("trade_leg/waits-{MARKETS}-legs/{queue}"), || {
        let mut floor = floor.fork();
        floor.legs(MARKETS)?;
        floor.prices(START)?;
        let (alice, market) = (floor.alice.clone(), floor.markets[at].0.clone());
        let bid = PlaceOrderArgs {
            kind: OrderKind::Limit,
            price_ticks: START - 100,
            ..order
        };
        let placed = floor.sandbox.trade_leg(&market, &alice, bid, &[], &[]);
        Figure::of(&format!("an order waits, legs: {MARKETS}"), placed)
    })?;
    for makers in [1, 5] {
        let name = format!("{makers}-legs-of-{MARKETS}");
        meter.measure(&format!("trade_leg/{name}/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(MARKETS - 1)?;
            let (alice, queues) = (floor.alice.clone(), floor.queues(MARKETS));
            let more = i64::try_from(110 * USD)?;
            floor.sandbox.move_cross(&alice, more, &queues)?;
            let list = floor.leg_asks(at, makers)?;
            floor.prices(START)?;
            let market = floor.markets[at].0.clone();
            let traded = floor
                .sandbox
                .trade_leg(&market, &alice, order, &queues, &list);
            let words = format!("fills orders of legs: {makers}, each account of {MARKETS} legs");
            Figure::of(&words, traded)
        })?;
        meter.measure(&format!("place_order/fill-{name}/{queue}"), || {
            let mut floor = floor.fork();
            let list = floor.leg_asks(at, makers)?;
            floor.prices(START)?;
            let market = floor.markets[at].0.clone();
            let board = vec![addresses::board()];
            let listed = [board, floor.queues(MARKETS), list].concat();
            let bob = floor.sandbox.create_trader(10_000 * USD)?;
            let placed = floor.sandbox.place_order(&market, &bob, order, &listed);
            let words = format!("fills orders of legs: {makers}, each account of {MARKETS} legs");
            Figure::of(&words, placed)
        })?;
    }
    Ok(())
}

/// Measures every one of them.
pub fn measure_all(program: &Path, meter: &mut Meter) -> Result<()> {
    let names = [
        "create_board/",
        "enable_cross/",
        "record_marks/",
        "freeze_mark/",
        "move_cross/",
        "convert_margin/",
        "refresh_ranks/",
        "witness_ranks/",
        "flag_leg/",
        "liquidate_leg/",
        "auto_deleverage_cross/",
        "part_leg/",
        "trade_leg/",
        "block_trade_cross/",
        "place_order/fill-1-legs",
        "place_order/fill-5-legs",
        "execute_trigger/leg-of",
        "execute_protection/leg-of",
    ];
    if !names.iter().any(|name| meter.wants(name)) {
        return Ok(());
    }
    of_the_board(program, meter)?;
    for others in OTHERS {
        let floor = Floor::new(program, others)?;
        let queue = format!("queue-{others:06}");
        of_accounts(&floor, &queue, meter)?;
        of_makers(&floor, &queue, meter)?;
        firing::measure(&floor, &queue, meter)?;
        blocks::measure(&floor, &queue, meter)?;
        of_trouble(&floor, &queue, meter)?;
        of_rounds(&floor, &queue, meter)?;
    }
    Ok(())
}

fn of_the_board(program: &Path, meter: &mut Meter) -> Result<()> {
    let options = options(program, MintKind::Classic);
    let (mut bare, market) = Sandbox::with_market(&options, &MarketConfig::sol())?;
    meter.measure("create_board/first", || {
        Figure::of("the board", bare.fork().create_board())
    })?;
    bare.create_board()?;
    meter.measure("enable_cross/first-market", || {
        let mut sandbox = bare.fork();
        let queues = sandbox.create_cross_queues(1_000)?;
        Figure::of(
            "two queues",
            sandbox.enable_cross(&market, &queues, ALLOWED),
        )
    })?;
    let floor = Floor::new(program, 0)?;
    for count in [1, MARKETS] {
        meter.measure(&format!("record_marks/{count}-markets"), || {
            let mut floor = floor.fork();
            floor.sandbox.advance_slots(50);
            let some: Vec<_> = floor.markets[..count]
                .iter()
                .map(|(one, _)| one.clone())
                .collect();
            for market in &some {
                floor.sandbox.set_price(market, START + 1_000);
            }
            let all: Vec<_> = some.iter().collect();
            let recorded = floor.sandbox.record_marks(&all);
            Figure::of(&format!("markets: {count}, a checkpoint opens"), recorded)
        })?;
    }
    meter.measure("freeze_mark/old", || {
        let mut floor = floor.fork();
        floor.sandbox.advance_slots(101);
        let market = floor.markets[0].0.clone();
        Figure::of("an old mark", floor.sandbox.freeze_mark(&market))
    })?;
    meter.measure("part_leg/1-of-2-legs", || {
        let mut floor = floor.fork();
        floor.legs(2)?;
        let (first, second) = (floor.markets[0].0.clone(), floor.markets[1].0.clone());
        let sandbox = &mut floor.sandbox;
        sandbox.set_account(&first.keys.price, Account::default());
        sandbox.advance_seconds(86_400);
        sandbox.declare_dead(&first)?;
        sandbox.advance_seconds(86_400);
        sandbox.begin_settlement(&first)?;
        sandbox.set_price(&second, START);
        sandbox.record_marks(&[&second])?;
        let (alice, queues) = (floor.alice.address, floor.queues(2));
        let parted = floor.sandbox.part_leg(&first, &alice, &queues);
        Figure::of("one of two legs", parted)
    })
}

fn of_accounts(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    for legs in [1, MARKETS] {
        let words = format!("legs: {legs}, all recorded anew");
        meter.measure(&format!("move_cross/out-{legs}-legs/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(legs)?;
            floor.prices(START)?;
            let (alice, queues) = (floor.alice.clone(), floor.queues(legs));
            let moved = floor.sandbox.move_cross(&alice, -1, &queues);
            Figure::of(&words, moved)
        })?;
        meter.measure(&format!("convert_margin/joins-{legs}-legs/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(legs - 1)?;
            let alice = floor.alice.clone();
            floor.isolated(&alice, legs - 1, TEN, 110 * USD)?;
            let (market, queues) = (floor.markets[legs - 1].0.clone(), floor.queues(legs));
            let joined = floor.sandbox.to_cross(&market, &alice, &queues);
            Figure::of(&format!("joins, then legs: {legs}"), joined)
        })?;
        meter.measure(
            &format!("convert_margin/leaves-{legs}-legs/{queue}"),
            || {
                let mut floor = floor.fork();
                floor.legs(legs)?;
                floor.prices(START)?;
                let (alice, queues) = (floor.alice.clone(), floor.queues(legs));
                let market = floor.markets[0].0.clone();
                let left = floor
                    .sandbox
                    .to_isolated(&market, &alice, 105 * USD, &queues);
                Figure::of(&format!("leaves, of legs: {legs}"), left)
            },
        )?;
        for makers in [1, 5] {
            meter.measure(
                &format!("trade_leg/{makers}-makers-{legs}-legs/{queue}"),
                || {
                    let mut floor = floor.fork();
                    floor.legs(legs - 1)?;
                    let (at, alice) = (legs - 1, floor.alice.clone());
                    let (more, queues) = (i64::try_from(110 * USD)?, floor.queues(legs));
                    floor.sandbox.move_cross(&alice, more, &queues)?;
                    floor.prices(START)?;
                    let list = floor.asks(at, makers)?;
                    let market = floor.markets[at].0.clone();
                    let order = PlaceOrderArgs {
                        kind: OrderKind::Market,
                        lots: TEN.unsigned_abs(),
                        ..PlaceOrderArgs::default()
                    };
                    let traded = floor
                        .sandbox
                        .trade_leg(&market, &alice, order, &queues, &list);
                    Figure::of(&format!("fills: {makers}, then legs: {legs}"), traded)
                },
            )?;
        }
        meter.measure(&format!("refresh_ranks/1-of-{legs}-legs/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(legs)?;
            floor.prices(START + 1_000)?;
            let (alice, queues) = (floor.alice.address, floor.queues(1));
            let market = floor.markets[0].0.clone();
            let renewed = floor.sandbox.refresh_ranks(&market, &queues, &[alice]);
            Figure::of(&format!("one record, legs: {legs}"), renewed)
        })?;
    }
    Ok(())
}

fn of_trouble(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    for legs in [1, MARKETS] {
        // One leg loses what the others leave above maintenance.
        let ticks = if legs == 1 { 193_000 } else { 170_000 };
        meter.measure(&format!("flag_leg/{legs}-legs/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(legs)?;
            floor.prices(ticks)?;
            let (alice, market) = (floor.alice.address, floor.markets[0].0.clone());
            Figure::of(
                &format!("below maintenance, legs: {legs}"),
                floor.sandbox.flag_leg(&market, &alice),
            )
        })?;
        meter.measure(&format!("liquidate_leg/{legs}-legs/{queue}"), || {
            let mut floor = floor.fork();
            floor.legs(legs)?;
            floor.prices(ticks)?;
            let at = usize::from(legs > 1);
            let market = floor.markets[at].0.clone();
            let (alice, bob, queues) = (floor.alice.address, floor.bob.clone(), floor.queues(legs));
            let offer = Takeover::with_margin(1_000 * USD);
            let step = floor
                .sandbox
                .liquidate_leg(&market, &alice, &bob, offer, &queues, &[]);
            Figure::of(
                &format!("taken over, all recorded anew, legs: {legs}"),
                step,
            )
        })?;
    }
    Ok(())
}

/// Ten counterparties short of 1 SOL each in the first market, with legs in so many markets or isolated, and
/// alice long of 10 SOL, bankrupt.
fn crash(floor: &mut Floor, legs: usize) -> Result<Vec<Pubkey>> {
    let mut list = Vec::new();
    for _ in 0..LISTED {
        let trader = floor.sandbox.create_trader(10_000 * USD)?;
        match legs {
            0 => floor.isolated(&trader, 0, -1_000, 12 * USD)?,
            _ => (0..legs).try_for_each(|at| {
                let (lots, margin) = if at == 0 { (-1_000, 12) } else { (100, 2) };
                floor.leg(&trader, at, lots, margin * USD)
            })?,
        }
        list.push(trader.address);
    }
    let alice = floor.alice.clone();
    floor.isolated(&alice, 0, TEN, 101 * USD)?;
    floor.prices(189_000)?;
    Ok(list)
}

fn of_rounds(floor: &Floor, queue: &str, meter: &mut Meter) -> Result<()> {
    for legs in [0, 1, MARKETS] {
        let words = match legs {
            0 => "10 isolated counterparties".to_owned(),
            _ => format!("10 counterparties with legs: {legs}"),
        };
        meter.measure(
            &format!("auto_deleverage_cross/10-of-{legs}-legs/{queue}"),
            || {
                let mut floor = floor.fork();
                let list = crash(&mut floor, legs)?;
                let (market, keeper) = (floor.markets[0].0.clone(), floor.bob.clone());
                let (alice, queues) = (floor.alice.address, floor.queues(legs.max(1)));
                let round = floor
                    .sandbox
                    .auto_deleverage_cross(&market, &alice, &keeper, &queues, &list);
                Figure::of(&words, round)
            },
        )?;
    }
    meter.measure(&format!("witness_ranks/10-of-4-legs/{queue}"), || {
        let mut floor = floor.fork();
        let list = crash(&mut floor, MARKETS)?;
        let market = floor.markets[0].0.clone();
        let (alice, queues) = (floor.alice.address, floor.queues(1));
        let seen = floor.sandbox.witness_ranks(&market, &alice, &queues, &list);
        Figure::of("10 accounts with legs: 4", seen)
    })
}
