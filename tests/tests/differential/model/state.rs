//! What there is: wallets, traders, markets.

use std::collections::BTreeMap;

use ballast_engine::risk::RiskParams;
use ballast_state::error::BallastError;

use super::book::Book;
use super::checkpoints::Board;
use super::cross::{Crossed, Shared};
use super::fund::Fund;
use super::funding::Funding;
use super::held::{Claim, Held};
use super::holding::{Holding, MAX_PRICE};
use super::insurance::Insurance;
use super::oracle::{Past, Quoted};
use super::pool::Pool;
use super::protection::Protection;
use super::refusal::{require, Verdict};
use super::session::Session;
use super::trigger::Trigger;
use super::volatility::Volatility;

/// What deleveraging has done to a position lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Passes opened when it was last cut.
    pub epoch: u32,
    /// Lots cut in the pass of that cut.
    pub lots: i128,
    /// Passes opened when a cut last reached its cap.
    pub capped_epoch: u32,
}

/// What is remembered of a position in trouble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distress {
    /// Where the clock of the discount began, as far as somebody looked; 0 nowhere.
    pub flagged_slot: u64,
    /// Where the clock of the grace period began, likewise.
    pub bankrupt_slot: u64,
    /// The last look.
    pub seen_slot: u64,
    /// Deficit when last flagged.
    pub deficit: i128,
    /// Last partial liquidation; 0 never.
    pub last_step_slot: u64,
    /// Number of the bankruptcy.
    pub bankruptcy_id: u64,
    /// Pass of the queue at which its deleveraging began.
    pub pass_epoch: u32,
    /// Lots when deleveraging began.
    pub bankrupt_lots: i128,
    /// Lots of the last partial liquidation that it left open.
    pub step_left: i128,
}

/// A position and its place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Lots and money.
    pub holding: Holding,
    /// Order of joining the queue.
    pub sequence: u64,
    /// Cuts.
    pub stamp: Stamp,
    /// Trouble.
    pub distress: Distress,
    /// Stop-loss, then take-profit.
    pub triggers: [Option<Trigger>; 2],
}

/// A trader account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trader {
    /// The wallet of its delegate.
    pub delegate: Option<usize>,
    /// Whether that signs block trades.
    pub block_trades: bool,
    /// Free collateral.
    pub free: i128,
    /// One place a market.
    pub positions: Vec<Option<Owned>>,
    /// What was put into each position and not taken out again.
    pub put_in: Vec<i128>,
    /// Parts of the profit that each market holds.
    pub claims: Vec<Claim>,
    /// Legs and what they share.
    pub shared: Shared,
}

/// A market.
#[derive(Clone, Debug)]
pub struct Market {
    /// Parameters.
    pub params: RiskParams,
    /// Whether its open interest must not rise.
    pub reduce_only: bool,
    /// The last price once the market has ended, atoms a lot.
    pub ended: Option<i128>,
    /// Worth of a tick of a lot.
    pub atoms_per_tick: i128,
    /// Positions either queue has room for.
    pub capacity: usize,
    /// What the oracle says.
    pub quoted: Quoted,
    /// The newest price fit for funding.
    pub used: Quoted,
    /// What is remembered of the prices before.
    pub past: Past,
    /// What is remembered of their moves.
    pub volatility: Volatility,
    /// Funding.
    pub funding: Funding,
    /// Orders that wait.
    pub book: Book,
    /// Impact prices of bids and asks as recorded; 0 too thin.
    pub impact: [i128; 2],
    /// Insurance.
    pub insurance: Insurance,
    /// Shares of what is staked of it.
    pub stakes: Option<Fund>,
    /// The pool.
    pub pool: Option<Pool>,
    /// Tokens in the insurance vault.
    pub vault: i128,
    /// Fee bucket.
    pub fees: i128,
    /// Profit that is held.
    pub held: Held,
    /// Bankruptcies that deleveraging has begun with.
    pub bankruptcies: u64,
    /// Rounds.
    pub rounds: u64,
    /// Liquidation steps.
    pub liquidations: u64,
    /// Next sequence numbers, longs first.
    pub next_sequence: [u64; 2],
    /// Passes opened, longs first.
    pub passes: [u32; 2],
    /// Slots in which the current ones were opened, longs first.
    pub pass_slots: [u64; 2],
    /// Sessions under way against longs and against shorts.
    pub sessions: [Option<Session>; 2],
    /// Accounts for protective steps, by trader.
    pub protections: BTreeMap<usize, Protection>,
    /// What cross margin adds.
    pub crossed: Option<Crossed>,
}

/// The exchange and everybody's wallets.
#[derive(Clone, Debug)]
pub struct Model {
    /// Slot.
    pub slot: u64,
    /// Unix seconds.
    pub time: i128,
    /// Tokens of each wallet.
    pub wallets: Vec<i128>,
    /// Trader accounts; none where closed or never opened. Those of the markets' pools come last.
    pub traders: Vec<Option<Trader>>,
    /// Markets.
    pub markets: Vec<Market>,
    /// What the board of the legs has heard.
    pub board: Board,
    /// Tokens in the collateral vault.
    pub vault: i128,
    /// The mark of the call and the prices of its trades.
    pub seen: Vec<i128>,
    /// Market, trader and profit taken out by the call, in order.
    pub taken: Vec<(usize, usize, i128)>,
}

/// Index of the queue for lots of a sign.
pub fn side(sign: i128) -> usize {
    usize::from(sign < 0)
}

impl Model {
    /// The trader, who exists.
    pub fn trader(&self, trader: usize) -> &Trader {
        self.traders[trader].as_ref().expect("an open trader")
    }

    /// The same, to write.
    pub fn trader_mut(&mut self, trader: usize) -> &mut Trader {
        self.traders[trader].as_mut().expect("an open trader")
    }

    /// The trader's position, if there is one.
    pub fn owned(&self, market: usize, trader: usize) -> Option<&Owned> {
        self.traders[trader].as_ref()?.positions[market].as_ref()
    }

    /// The trader's position, which the call cannot do without.
    pub fn needed(&self, market: usize, trader: usize) -> Verdict<&Owned> {
        let none = BallastError::NoPosition;
        self.owned(market, trader).ok_or_else(|| none.into())
    }

    /// The distress of a position or leg that there is.
    pub fn distress_mut(&mut self, market: usize, trader: usize) -> &mut Distress {
        if self.leg(market, trader).is_some() {
            return &mut self.leg_mut(market, trader).distress;
        }
        let owned = self.trader_mut(trader).positions[market].as_mut();
        &mut owned.expect("a position").distress
    }

    /// What the trader holds, funding unpaid; nothing where there is no position.
    pub fn held(&self, market: usize, trader: usize) -> Holding {
        self.owned(market, trader)
            .map_or_else(Holding::default, |owned| owned.holding)
    }

    /// What the trader holds, funding paid up to now.
    pub fn settled(&self, market: usize, trader: usize) -> Verdict<Holding> {
        self.held(market, trader)
            .settled(self.markets[market].funding.index)
    }

    /// Everybody on one side, in the order of the queue: entry price, then age.
    pub fn queue(&self, market: usize, sign: i128) -> Vec<(usize, &Owned)> {
        let mut queue: Vec<(usize, &Owned)> = (0..self.traders.len())
            .filter_map(|trader| Some((trader, self.owned(market, trader)?)))
            .filter(|(_, owned)| owned.holding.sign() == sign)
            .collect();
        queue.sort_by_key(|(_, owned)| (entry_key(&owned.holding), owned.sequence));
        queue
    }

    /// The sum of the long lots.
    pub fn open_interest(&self, market: usize) -> i128 {
        let lots = |trader| self.held(market, trader).lots.max(0);
        let isolated: i128 = (0..self.traders.len()).map(lots).sum();
        isolated + self.leg_lots(market, 1)
    }

    /// Replaces what the trader holds and keeps its place in the queue, or finds it a new one.
    pub fn hold(&mut self, market: usize, trader: usize, holding: Holding) -> Verdict<()> {
        let before = self.owned(market, trader).cloned();
        let place = &mut self.trader_mut(trader).positions[market];
        if holding.lots == 0 {
            *place = None;
            return Ok(());
        }
        *place = None;
        let priced = has_a_place(&holding);
        require(priced, BallastError::BankruptcyPriceOutOfRange)?;
        let (mut owned, stays) = match before {
            Some(owned) => {
                let stays = owned.holding.sign() == holding.sign();
                (owned, stays)
            }
            None => (Owned::new(), false),
        };
        if !stays {
            let room = self.markets[market].capacity;
            let full = self.queue(market, holding.sign()).len() >= room;
            require(!full, BallastError::QueueFull)?;
            let next = &mut self.markets[market].next_sequence[side(holding.sign())];
            owned.sequence = *next;
            owned.stamp = Stamp::default();
            owned.triggers = [None; 2];
            *next += 1;
        }
        owned.holding = holding;
        self.trader_mut(trader).positions[market] = Some(owned);
        Ok(())
    }

    /// Claims less tokens: zero when nothing was minted or lost.
    pub fn imbalance(&self) -> i128 {
        let mut sum = -self.vault;
        for market in &self.markets {
            sum += market.insurance.balance + market.fees + market.held.atoms - market.vault;
            sum += market.book.all().map(|order| order.margin).sum::<i128>();
        }
        for trader in self.traders.iter().flatten() {
            sum += trader.free + trader.shared.atoms;
            for leg in trader.shared.legs.iter().flatten() {
                sum += leg.holding.lots * leg.holding.index - leg.holding.entry;
            }
            for owned in trader.positions.iter().flatten() {
                let held = &owned.holding;
                sum += held.margin + held.lots * held.index - held.entry;
            }
        }
        sum
    }
}

impl Owned {
    /// Entry price and bankruptcy price less funding, 2^-32 atoms per lot, rounded down.
    pub fn keys(&self) -> (i128, i128) {
        (entry_key(&self.holding), bankruptcy_key(&self.holding))
    }

    fn new() -> Self {
        Self {
            holding: Holding::default(),
            sequence: 0,
            stamp: Stamp::default(),
            distress: Distress::default(),
            triggers: [None; 2],
        }
    }
}

/// Entry price in 2^-32 atoms per lot, rounded down.
pub fn entry_key(holding: &Holding) -> i128 {
    (holding.entry.abs() << 32).div_euclid(holding.size())
}

/// Bankruptcy price less funding, in 2^-32 atoms per lot, rounded down.
pub fn bankruptcy_key(holding: &Holding) -> i128 {
    (unfunded_bankruptcy(holding) << 32).div_euclid(holding.size())
}

/// The same total whenever funding was settled.
pub fn unfunded_bankruptcy(holding: &Holding) -> i128 {
    holding.bankruptcy() - holding.size() * holding.index
}

/// Whether its bankruptcy price can be written in a queue.
pub fn has_a_place(holding: &Holding) -> bool {
    bankruptcy_per_lot(holding).abs() <= MAX_PRICE
}

/// Whole atoms per lot, towards zero.
fn bankruptcy_per_lot(holding: &Holding) -> i128 {
    unfunded_bankruptcy(holding) / holding.size()
}
