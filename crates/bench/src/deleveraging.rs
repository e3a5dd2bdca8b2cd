//! `auto_deleverage` over queues of every length, with lists of every length.

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::instruction::Instruction;
use anyhow::{ensure, Context, Result};
use ballast_client::instructions::anyone;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, AdlPlan, Request, MAX_COUNTERPARTIES};
use ballast_engine::book::OwnOrders;
use ballast_engine::units::{LotPrice, Side};
use ballast_sandbox::world::COMPUTE_UNIT_LIMIT;
use ballast_sandbox::{
    BlockTrade, MarketConfig, MarketCookie, Options, Sandbox, TraderCookie, TxOutcome, TxResult,
};
use ballast_state::events::BallastEvent;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};

use crate::books::{BookBytes, BOOK_SEED, DEEPEST, IMPACT, ROOM};
use crate::figure::Figure;
use crate::forge;
use crate::meter::Meter;
use crate::population::{Population, Source};
use crate::proof_alone::ProofProgram;
use crate::queues::QueueBytes;
use crate::shapes::{
    adl_name, adl_shape, proof_name, stage_prefix, stages, StageShape, COUNTERPARTIES, PROVEN,
    TOLERANCES,
};

/// Price at which the bankrupt position was opened, ticks.
const OPENED: u64 = 200_000;
/// Size of a bankrupt position: more than a round with the longest list closes.
const BANKRUPT_LOTS: u64 = 2_000_000;
/// Margin of the bankrupt position, basis points of its worth; the price moves by 800.
const BANKRUPT_MARGIN_BPS: u64 = 700;
/// The same where counterparties with next to no profit are to rank as winners.
const BARELY_BANKRUPT_MARGIN_BPS: u64 = 795;
/// Bytes that a transaction may have.
const PACKET_BYTES: usize = 1_232;
/// Seed of the counterparties; the bankrupt's own side has the next.
const SEED: u64 = 1;

/// A market with a bankrupt position, which real transactions opened, amid two full queues.
pub struct Stage {
    pub sandbox: Sandbox,
    pub market: MarketCookie,
    pub bankrupt: TraderCookie,
    pub keeper: TraderCookie,
    side: Side,
    /// The counterparties' queue.
    queue: QueueBytes,
    table: Option<AddressLookupTableAccount>,
    /// Orders that each counterparty has.
    orders: u32,
}

/// How a stage is set.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How many stand in the queues, and how.
    pub stage: StageShape,
    /// Largest part of a counterparty that a pass closes, basis points.
    pub max_close_bps: u32,
    /// Positions that each counterparty has in other markets.
    pub other_markets: usize,
    /// Size of the bankrupt position.
    pub bankrupt_lots: u64,
    /// Orders that each counterparty has in the deepest of the measured books; nothing for an empty
    /// book.
    pub orders: Option<u32>,
}

impl StageShape {
    const fn bankrupt_margin_bps(&self) -> u64 {
        match self.population {
            Population::IsoScoreSmall => BARELY_BANKRUPT_MARGIN_BPS,
            _ => BANKRUPT_MARGIN_BPS,
        }
    }
}

impl Setting {
    /// Half of a counterparty at most, which has no other position, a bankrupt position larger than
    /// any list, and an empty book.
    pub const fn plain(stage: StageShape) -> Self {
        Self {
            stage,
            max_close_bps: 5_000,
            other_markets: 0,
            bankrupt_lots: BANKRUPT_LOTS,
            orders: None,
        }
    }
}

impl Stage {
    /// Opens the position, moves the price by 8%, fills the queues, writes the counterparties.
    pub fn new(program: &Path, setting: &Setting) -> Result<Self> {
        let mut config = MarketConfig::sol();
        config.queue_capacity = usize::try_from(setting.stage.positions)? + 16;
        config.risk.adl.max_close_bps = setting.max_close_bps;
        if setting.orders.is_some() {
            config.book_capacity = usize::try_from(DEEPEST + ROOM)?;
            config.risk.impact_notional_atoms = IMPACT;
        }
        let options = Options {
            program: Some(program.to_owned()),
            ..Options::default()
        };
        let (mut sandbox, market) = Sandbox::with_market(&options, &config)?;
        let worth = setting.bankrupt_lots * OPENED;
        let lots = i64::try_from(setting.bankrupt_lots)?;
        let bankrupt = sandbox.create_trader(worth)?;
        let opposite = sandbox.create_trader(worth)?;
        let keeper = sandbox.create_trader(0)?;
        let terms = BlockTrade {
            lots: match setting.stage.side {
                Side::Short => lots,
                Side::Long => -lots,
            },
            price_ticks: OPENED,
            taker_margin: worth * setting.stage.bankrupt_margin_bps() / 10_000,
            maker_margin: worth,
        };
        sandbox.block_trade(&market, &bankrupt, &opposite, terms)?;
        sandbox.advance_seconds(600);
        let address = sandbox.market(&market).queue(setting.stage.side);
        let empty = sandbox.account(&address).context("a queue account")?;
        let mut stage = Self {
            queue: QueueBytes::of_account(&empty.data)?,
            sandbox,
            market,
            bankrupt,
            keeper,
            side: setting.stage.side,
            table: None,
            orders: setting.orders.unwrap_or(0),
        };
        stage.sandbox.set_price(&stage.market, stage.mark());
        stage.sandbox.accrue_funding(&stage.market)?;
        stage.fill(setting)?;
        stage.write_counterparties(setting)?;
        Ok(stage)
    }

    /// The price at which the position is bankrupt, in ticks, which are atoms of a lot.
    fn mark(&self) -> u64 {
        match self.side {
            Side::Short => OPENED * 92 / 100,
            Side::Long => OPENED * 108 / 100,
        }
    }

    fn fill(&mut self, setting: &Setting) -> Result<()> {
        let state = self.sandbox.market(&self.market);
        let risk = *state.params();
        let mark = LotPrice::new(self.mark())?;
        let sides = [
            (setting.stage.side, setting.stage.population, SEED),
            (setting.stage.side.opposite(), Population::Random, SEED + 1),
        ];
        for (side, population, seed) in sides {
            let index = state.funding.index;
            let count = setting.stage.positions;
            let mut source = Source::new(population, side, mark, index, &risk, count, seed);
            let bytes = fill_account(&mut self.sandbox, &state.queue(side), &mut source, count)?;
            if side == setting.stage.side {
                self.queue = bytes.clone();
            }
            if side == Side::Long {
                let lots = bytes.lots()?;
                let market = &self.market.keys.market;
                forge::change(&mut self.sandbox, market, |market: &mut Market| {
                    market.open_interest_lots = lots;
                })?;
            }
        }
        Ok(())
    }

    /// Those that the longest list would cut.
    fn write_counterparties(&mut self, setting: &Setting) -> Result<()> {
        let longest = self.plan(MAX_COUNTERPARTIES)?;
        let mut chains = vec![OwnOrders::EMPTY; longest.cuts.len()];
        if let Some(orders) = setting.orders {
            self.fill_book(&longest, orders, &mut chains)?;
        }
        for (planned, own) in longest.cuts.iter().zip(&chains) {
            let (market, others) = (&self.market.keys.market, setting.other_markets);
            forge::trader(&mut self.sandbox, market, planned, own, others)?;
        }
        self.table = Some(self.sandbox.create_lookup_table(&longest.counterparties));
        Ok(())
    }

    /// Fills the book, and gives each counterparty so many of its orders.
    fn fill_book(&mut self, plan: &AdlPlan, orders: u32, chains: &mut [OwnOrders]) -> Result<()> {
        let address = self.market.keys.book;
        let mark = LotPrice::new(self.mark())?;
        let mut book = BookBytes::load(&self.sandbox, &address)?;
        book.fill(mark, DEEPEST, BOOK_SEED)?;
        for (planned, own) in plan.cuts.iter().zip(chains) {
            book.give(planned.trader, own, mark, orders)?;
        }
        book.store(&mut self.sandbox, &address)
    }

    /// The same with another tolerance.
    pub fn with_tolerance(&self, tolerance_bps: u32) -> Result<Self> {
        let mut risk = *self.sandbox.market(&self.market).params();
        risk.adl.rank_tolerance_bps = tolerance_bps;
        let mut stage = Self {
            sandbox: self.sandbox.fork(),
            market: self.market.clone(),
            bankrupt: self.bankrupt.clone(),
            keeper: self.keeper.clone(),
            side: self.side,
            queue: self.queue.clone(),
            table: self.table.clone(),
            orders: self.orders,
        };
        stage.sandbox.set_market_risk(&stage.market, risk)?;
        Ok(stage)
    }

    /// The round that cuts this many counterparties, each to its cap.
    pub fn plan(&self, counterparties: usize) -> Result<AdlPlan> {
        let slot = self
            .sandbox
            .position(&self.market, &self.bankrupt.address)
            .context("the bankrupt has a position")?;
        let moment = Moment {
            slot: self.sandbox.slot(),
            unix_timestamp: self.sandbox.time(),
            price_ticks: self.mark(),
        };
        let request = Request {
            bankrupt: self.bankrupt.address,
            max_counterparties: counterparties,
            spares: 0,
        };
        let market = self.sandbox.market(&self.market);
        plan(&market, &self.queue.view()?, &slot, &moment, &request).map_err(anyhow::Error::from)
    }

    /// Stamps all counterparties as cut to their cap in the bankruptcy's first pass.
    pub fn exhaust(&mut self) -> Result<()> {
        let epoch = self.queue.exhaust()?;
        let address = self.sandbox.market(&self.market).queue(self.side);
        write_queue(&mut self.sandbox, &address, &self.queue)?;
        let lots = u32::try_from(BANKRUPT_LOTS)?;
        let market = self.market.keys.market;
        let begin = |trader: &mut Trader| {
            let own = trader.positions.iter_mut();
            for slot in own.filter(|slot| slot.market == market) {
                (slot.pass_epoch, slot.bankruptcy_id, slot.bankrupt_lots) = (epoch, 1, lots);
            }
        };
        forge::change(&mut self.sandbox, &self.bankrupt.address, begin)?;
        forge::change(&mut self.sandbox, &market, |market: &mut Market| {
            market.bankruptcy_counter = 1;
        })
    }

    /// Executes a round and throws its effects away.
    fn simulate(&self, plan: &AdlPlan) -> Result<TxResult> {
        let instruction = anyone::AutoDeleverage {
            keeper: self.keeper.wallet.address(),
            keys: self.market.keys,
            bankrupt: plan.bankrupt,
            reward_trader: self.keeper.address,
            counterparties: &plan.counterparties,
        }
        .instruction();
        let tables: Vec<_> = self.table.iter().cloned().collect();
        let payer = self.sandbox.payer();
        let bytes = transaction_bytes(&payer, &instruction, &tables)?;
        ensure!(bytes <= PACKET_BYTES, "a transaction of {bytes} bytes");
        let signers = [&self.keeper.wallet.keypair];
        Ok(self.sandbox.simulate(&[instruction], &signers, &tables))
    }

    /// Measures one round. Where it does not fit a transaction, the nodes its proof would visit are
    /// counted by the engine; where it does, the program and the engine must agree on them.
    pub fn measure(&self, counterparties: usize, shape: &str) -> Result<Figure> {
        let plan = self.plan(counterparties)?;
        ensure!(plan.cuts.len() == counterparties, "too few can be cut");
        let result = self.simulate(&plan)?;
        if let Ok(outcome) = &result {
            let expected = u32::try_from(counterparties)? * self.orders;
            ensure!(
                cancelled(outcome) == expected,
                "not all orders were cancelled"
            );
        }
        let mut figure = Figure::of(shape, result)?;
        let mut queue = self.queue.clone();
        queue.cut(&plan)?;
        let visited = queue.prove(&plan)?.visited;
        let agreed = figure.nodes_visited.is_none_or(|told| told == visited);
        ensure!(agreed, "the program visits other nodes than the engine");
        figure.nodes_visited = Some(visited);
        Ok(figure)
    }
}

/// Orders of those cut that a round took out of the book.
fn cancelled(outcome: &TxOutcome) -> u32 {
    let rounds = outcome.events.iter().filter_map(|event| match event {
        BallastEvent::AutoDeleveraged(event) => Some(&event.cuts),
        _ => None,
    });
    rounds.flatten().map(|cut| cut.cancelled_orders).sum()
}

/// Fills a queue account of the sandbox up to `length` positions.
pub fn fill_account(
    sandbox: &mut Sandbox,
    address: &Pubkey,
    source: &mut Source<'_>,
    length: u32,
) -> Result<QueueBytes> {
    let account = sandbox.account(address).context("a queue account")?;
    let mut bytes = QueueBytes::of_account(&account.data)?;
    bytes.fill(source, length)?;
    write_queue(sandbox, address, &bytes)?;
    Ok(bytes)
}

fn write_queue(sandbox: &mut Sandbox, address: &Pubkey, queue: &QueueBytes) -> Result<()> {
    let mut account = sandbox.account(address).context("a queue account")?;
    account.data = queue.to_account();
    sandbox.set_account(address, account);
    Ok(())
}

/// Bytes of a transaction with two signatures that holds the instruction and a compute limit.
fn transaction_bytes(
    payer: &Pubkey,
    instruction: &Instruction,
    tables: &[AddressLookupTableAccount],
) -> Result<usize> {
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(COMPUTE_UNIT_LIMIT);
    let all = [limit, instruction.clone()];
    let message = v0::Message::try_compile(payer, &all, tables, Default::default())?;
    let signatures = 1 + 2 * 64;
    Ok(signatures + VersionedMessage::V0(message).serialize().len())
}

/// The programs that are measured.
pub struct Programs<'a> {
    /// The built program.
    pub ballast: &'a Path,
    /// The proof alone.
    pub proof: &'a Path,
}

/// Every figure of the matrix, and of the proof alone in the same queues.
pub fn measure_all(programs: &Programs<'_>, meter: &mut Meter) -> Result<()> {
    for shape in stages() {
        let wanted = meter.wants(&stage_prefix("auto_deleverage", &shape))
            || meter.wants(&stage_prefix("proof_alone", &shape));
        if !wanted {
            continue;
        }
        let stage = Stage::new(programs.ballast, &Setting::plain(shape))?;
        let mut proof = ProofProgram::load(programs.proof, &stage.sandbox)?;
        let nothing = "proof_alone/nothing";
        if !meter.has(nothing) {
            meter.measure(nothing, || proof.measure_nothing())?;
        }
        for tolerance_bps in TOLERANCES {
            let stage = stage.with_tolerance(tolerance_bps)?;
            measure_stage(&stage, &shape, tolerance_bps, &mut proof, meter)?;
        }
    }
    Ok(())
}

fn measure_stage(
    stage: &Stage,
    shape: &StageShape,
    tolerance_bps: u32,
    proof: &mut ProofProgram,
    meter: &mut Meter,
) -> Result<()> {
    for counterparties in COUNTERPARTIES {
        if counterparties > shape.positions {
            continue;
        }
        let cell = shape.cell(tolerance_bps, counterparties);
        meter.measure(&adl_name(&cell), || {
            stage.measure(usize::try_from(counterparties)?, &adl_shape(&cell))
        })?;
    }
    if shape.positions < PROVEN {
        return Ok(());
    }
    let cell = shape.cell(tolerance_bps, PROVEN);
    meter.measure(&proof_name(&cell), || {
        let plan = stage.plan(usize::try_from(PROVEN)?)?;
        let mut queue = stage.queue.clone();
        queue.cut(&plan)?;
        proof.measure(&queue, &plan, &adl_shape(&cell))
    })
}
