//! A market with a bankrupt position and a queue that makes every rule of the ranking matter.

use ballast_engine::risk::{RiskParams, RiskTier};

use super::members::{Member, Plan};
use crate::compare;
use crate::model::{Listed, Model, Quoted};
use crate::operation::{Call, Operation, Trade};
use crate::pick::Pick;
use crate::program::{World, TRADERS};

/// The trader on the other side of everything.
pub const HOUSE: usize = 0;
/// The trader whose deleveraging is attempted.
pub const BANKRUPT: usize = 2;
/// Another bankrupt, in some stages.
const SECOND: usize = 4;
/// The first counterparty.
const FIRST: usize = 5;
/// A stage and what was put on it.
pub struct Stage {
    /// The program.
    pub world: World,
    /// Its model.
    pub model: Model,
    /// The market.
    pub market: usize,
}

/// Opens and funds every account.
pub fn fund(world: &mut World, model: &mut Model) {
    for trader in 0..TRADERS {
        if model.traders[trader].is_none() {
            agreed(world, model, &Operation::CreateTrader { trader });
        }
        let amount = if trader == HOUSE {
            1_000_000_000_000_000
        } else {
            300_000_000_000
        };
        agreed(world, model, &Operation::Deposit { trader, amount });
    }
}

/// Performs a step that is no attack.
fn agreed(world: &mut World, model: &mut Model, operation: &Operation) -> bool {
    let verdict = model.perform(operation);
    if let Some(result) = world.perform(operation) {
        let same = compare::verdicts(&result, &verdict);
        same.unwrap_or_else(|difference| panic!("{operation:?}: {difference}"));
    }
    verdict.is_ok()
}

impl Stage {
    /// A stage on a copy of a funded world.
    pub fn new(world: &World, model: &Model, pick: &mut Pick) -> Self {
        let mut stage = Self {
            world: world.fork(),
            model: model.clone(),
            market: usize::from(pick.percent(40)),
        };
        let risk = risk(&stage.model.markets[stage.market].params, pick);
        stage.world.force_risk(&mut stage.model, stage.market, risk);
        let sign = pick.one(&[1, -1]);
        stage.play(sign, pick);
        compare::states(&stage.world, &stage.model).expect("the stage agrees");
        stage
    }

    /// A copy, to change something.
    pub fn fork(&self) -> Self {
        Self {
            world: self.world.fork(),
            model: self.model.clone(),
            market: self.market,
        }
    }

    /// Performs a step in both.
    pub fn perform(&mut self, operation: &Operation) -> bool {
        agreed(&mut self.world, &mut self.model, operation)
    }

    /// The bankrupt's counterparties have lots of this sign.
    fn play(&mut self, sign: i128, pick: &mut Pick) {
        let mark = if self.market == 0 {
            pick.one(&[180_000, 360_000, 1_800])
        } else {
            pick.one(&[360, 720])
        };
        let before = mark - sign * (mark * pick.within(8, 250) / 10_000 + 4);
        self.quote(before);
        let second = pick.percent(40);
        self.bankrupt(BANKRUPT, -sign, before, pick);
        if second {
            self.bankrupt(SECOND, -sign, before, pick);
        }
        self.quote(mark);
        let now = &self.model.markets[self.market];
        let plan = Plan {
            sign,
            mark,
            atoms: now.atoms_per_tick,
            tolerance: i128::from(now.params.adl.rank_tolerance_bps),
            bankrupt: self.model.held(self.market, BANKRUPT),
            most: if self.market == 0 { 19 } else { 14 },
            losing: pick.percent(20),
        };
        let members = plan.members(pick);
        let mut seats: Vec<usize> = (FIRST..TRADERS).collect();
        pick.shuffle(&mut seats);
        for (member, trader) in members.into_iter().zip(seats) {
            self.seat(trader, sign, mark, &member);
        }
        self.elsewhere();
        let market = self.market;
        if pick.percent(30) {
            self.insure(mark, pick);
        }
        if second && pick.percent(70) {
            self.round(SECOND, pick);
        }
        if pick.percent(50) {
            self.round(BANKRUPT, pick);
        }
        if second && pick.percent(50) {
            self.round(SECOND, pick);
        }
        if pick.percent(40) {
            let trader = BANKRUPT;
            self.perform(&Operation::Flag { market, trader });
        }
    }

    /// Gives insurance a part of the deficit, sometimes all of it.
    fn insure(&mut self, mark: i128, pick: &mut Pick) {
        let market = self.market;
        let price = mark * self.model.markets[market].atoms_per_tick;
        let deficit = -self.model.held(market, BANKRUPT).equity(price);
        let most = if pick.percent(90) {
            deficit * 9 / 10
        } else {
            deficit
        };
        let amount = u64::try_from(pick.within(1, most)).expect("a deficit");
        self.perform(&Operation::Donate {
            market,
            wallet: 3,
            amount,
        });
    }

    fn quote(&mut self, ticks: i128) {
        let ticks = u64::try_from(ticks).expect("a price");
        let time = i64::try_from(self.model.time).expect("a time");
        let quoted = Quoted {
            ticks,
            conf: 0,
            ema: ticks,
            time,
        };
        let market = self.market;
        self.perform(&Operation::Quote { market, quoted });
    }

    fn trade(&mut self, trader: usize, lots: i128, price: i128, margin: i128) -> bool {
        self.perform(&Operation::Trade(Trade {
            market: self.market,
            taker: trader,
            maker: HOUSE,
            lots: i64::try_from(lots).expect("few lots"),
            price: u64::try_from(price).expect("a price"),
            taker_margin: u64::try_from(margin).expect("a margin"),
            maker_margin: 50_000_000_000,
        }))
    }

    fn bankrupt(&mut self, trader: usize, sign: i128, price: i128, pick: &mut Pick) {
        let lots = pick.within(200, 15_000);
        let atoms = self.model.markets[self.market].atoms_per_tick;
        let margin = if pick.percent(50) {
            // A whole number of ticks a lot, so that others may enter at the close price.
            lots * atoms * (price * 2 / 10_000 + pick.within(1, 3))
        } else {
            lots * price * atoms * pick.within(2, 5) / 10_000 + pick.within(1, 9)
        };
        let opened = self.trade(trader, sign * lots, price, margin);
        assert!(opened, "the bankrupt opens");
    }

    /// Opens a member's position so that its equity at the mark is as wanted, where it can be.
    fn seat(&mut self, trader: usize, sign: i128, mark: i128, member: &Member) {
        let atoms = self.model.markets[self.market].atoms_per_tick;
        let profit = sign * (mark - member.entry) * member.lots * atoms;
        let least = member.lots * mark * atoms * 2 / 10_000 + 1;
        let margin = (member.equity.max(least) - profit).clamp(0, 200_000_000_000);
        self.trade(trader, sign * member.lots, member.entry, margin);
    }

    /// A position in the other market only.
    fn elsewhere(&mut self) {
        let other = 1 - self.market;
        let ticks = self.model.markets[other].quoted.ticks;
        self.perform(&Operation::Trade(Trade {
            market: other,
            taker: TRADERS - 1,
            maker: 1,
            lots: 500,
            price: ticks,
            taker_margin: 50_000_000_000,
            maker_margin: 50_000_000_000,
        }));
    }

    /// A round over a list for some lots, so that members stand at or near their caps.
    fn round(&mut self, bankrupt: usize, pick: &mut Pick) {
        let size = self.model.held(self.market, bankrupt).size();
        if size < 2 {
            return;
        }
        let list = self.honest(bankrupt, pick.within(1, size / 2));
        let call = Call {
            market: self.market,
            bankrupt,
            receiver: 1,
            list,
        };
        self.perform(&Operation::Deleverage(call));
    }

    /// Those who are due for so many lots, in order.
    pub fn honest(&self, bankrupt: usize, lots: i128) -> Vec<Listed> {
        let mut wanted = lots;
        let mut list = Vec::new();
        for (trader, left, _) in self.model.ranking(self.market, bankrupt) {
            if wanted <= 0 {
                break;
            }
            wanted -= left;
            list.push(Listed::Trader(trader));
        }
        list
    }
}

/// Parameters that let anybody stand anywhere, which no authority can set, and a ranking of every
/// strictness.
fn risk(usual: &RiskParams, pick: &mut Pick) -> RiskParams {
    let mut risk = *usual;
    risk.tiers = Default::default();
    risk.tiers[0] = RiskTier {
        notional_limit_atoms: 1_000_000_000_000_000,
        initial_margin_bps: 2,
        maintenance_margin_bps: 1,
    };
    risk.tier_count = 1;
    risk.liquidation_discount_bps = 0;
    risk.liquidation_discount_max_bps = 0;
    risk.liquidation_fee_bps = 0;
    risk.min_position_lots = 1;
    risk.min_order_atoms = 1;
    risk.price_band_bps = 10_000;
    risk.taker_fee_bps = pick.one(&[0, 5]);
    risk.insurance_fee_share_bps = 0;
    risk.funding_rate_ppm_per_hour = pick.one(&[0, 500]);
    risk.adl.rank_tolerance_bps = pick.one(&[0, 0, 1, 100, 500]);
    risk.adl.max_close_bps = pick.one(&[1, 700, 2_500, 5_000, 10_000]);
    risk.adl.min_profit_bps = pick.one(&[0, 10, 1_000, 1_200, 2_500]);
    risk.adl.grace_slots = 0;
    risk
}
