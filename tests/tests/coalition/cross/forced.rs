//! What may be done to accounts in trouble, and to those who are cut for them.

use anchor_lang::prelude::Pubkey;
use ballast_engine::cross::FRESH_SLOTS;
use ballast_state::events::{AutoDeleveraged, PositionLiquidated};
use ballast_state::position_slot::CROSS_WEAK;
use ballast_state::trader::Trader;
use num_bigint::BigInt;

use super::ledger::{Call, Ledger, DRAW_CAP_BPS};
use super::values::Marks;
use crate::ledger::BROKEN;

/// Most that a liquidation costs its victim, in basis points of what is closed: the discount and the fee.
const MOST_CHARGED_BPS: i128 = 125;

impl Ledger {
    /// An honest victim was below maintenance at prices that could be used, and lost no more than discount and
    /// fee; insurance paid for the closed lots their part of the leg's part of what is missing.
    pub(super) fn liquidated(&mut self, event: &PositionLiquidated, call: &Call) {
        let market = self.rules.number(&event.market);
        self.filled(&event.market, &event.fills);
        let (closed, size) = (event.lots.unsigned_abs(), event.lots_before.unsigned_abs());
        let paid = event.insurance_paid_atoms + event.held_paid_atoms;
        let marks = self.marks(market, call.scene);
        self.pays(
            &call.before.traders[&event.trader],
            &marks,
            market,
            call.legs,
            [closed, size, paid],
        );
        self.count_paid(market, call.legs, paid);
        self.rewarded(event.reward_atoms, paid);
        if !self.coalition.contains(&event.liquidator) {
            let has = self.has(&event.liquidator);
            self.agreed.insert(event.liquidator, has);
        }
        let Some(agreed) = self.agreed.get(&event.trader).copied() else {
            return;
        };
        self.could_be_forced(&event.trader, &marks, market, call);
        let has = self.has(&event.trader);
        let lost = agreed.worth(&marks.ticks) - has.worth(&marks.ticks);
        let notional = i128::from(closed) * i128::from(event.mark_ticks);
        must!(
            lost <= notional * MOST_CHARGED_BPS / 10_000,
            "{} lost {lost} by the liquidation of {notional}",
            event.trader
        );
        self.agreed.insert(event.trader, has);
    }

    /// Below maintenance, at a price and at marks of the board that are young enough.
    fn could_be_forced(&self, trader: &Pubkey, marks: &Marks, market: usize, call: &Call) {
        let account = &call.before.traders[trader];
        let posted = &call.scene.posted[market];
        let age = call.now.1 - posted.publish_time;
        let risk = &self.rules.risk[market];
        let slots = account.positions.iter();
        let flagged = slots
            .filter(|slot| slot.market == self.rules.keys[market])
            .any(|slot| slot.flagged_slot > 0);
        let limit = match flagged {
            false => risk.price_age(),
            true => risk.oldest_price_age(),
        };
        let recorded = call.before.markets[market].last_price.publish_time;
        must!(
            posted.publish_time >= recorded && age <= limit.cast_signed(),
            "{trader} was liquidated at a price {age} s old"
        );
        if !call.legs {
            let position = self.rules.isolated(account, market, marks);
            let (equity, requirement) = position.unwrap_or_default();
            must!(
                equity < requirement,
                "{trader} was liquidated in health: {equity} of {requirement}"
            );
            return;
        }
        let cross = self.rules.cross(account, marks);
        must!(
            !cross.is_healthy(),
            "{trader} was liquidated in health: {cross:?}"
        );
        for leg in cross.legs.iter().filter(|leg| leg.market != market) {
            let entry = self.board.board.entry(self.place(leg.market));
            let entry = entry.expect("an entry");
            let young = call.now.0 - entry.slot <= FRESH_SLOTS || entry.is_frozen();
            must!(young, "{trader} was liquidated at an old mark: {entry:?}");
        }
    }

    pub(super) fn deleveraged(&mut self, round: &AutoDeleveraged, call: &Call) {
        let market = self.rules.number(&round.market);
        let (closed, size) = (round.lots_closed, round.lots_before.unsigned_abs());
        let paid = round.insurance_paid_atoms + round.held_paid_atoms;
        let saved = paid + round.gave_up_atoms;
        let marks = self.marks(market, call.scene);
        let bankrupt = &call.before.traders[&round.bankrupt];
        self.pays(bankrupt, &marks, market, call.legs, [closed, size, saved]);
        self.count_paid(market, call.legs, paid);
        self.rewarded(round.reward_atoms, saved);
        if round.keeper == self.keeper.wallet.address() {
            let keeper = self.agreed.entry(self.keeper.address).or_default();
            keeper.cash += i128::from(round.reward_atoms);
        }
        self.nobody_is_spared(round, &marks, market, call);
        if let Some(agreed) = self.agreed.get(&round.bankrupt).copied() {
            let has = self.has(&round.bankrupt);
            let lost = agreed.worth(&marks.ticks) - has.worth(&marks.ticks);
            must!(lost <= 0, "{} lost {lost} to who was cut", round.bankrupt);
            self.agreed.insert(round.bankrupt, has);
        }
        for cut in &round.cuts {
            self.cut.insert((market, cut.trader));
        }
        let to_equity = call.round.is_some_and(|round| round.to_equity);
        for cut in &round.cuts {
            let was = self.rules.cross(&call.before.traders[&cut.trader], &marks);
            let is = self.rules.cross(&self.traders[&cut.trader], &marks);
            must!(
                to_equity || is.bore_it(&was),
                "{} was cut from {was:?} to {is:?}",
                cut.trader
            );
            let Some(agreed) = self.agreed.get(&cut.trader).copied() else {
                continue;
            };
            let has = self.has(&cut.trader);
            let lost = agreed.worth(&marks.ticks) - has.worth(&marks.ticks);
            let most = i128::from(cut.gave_up_atoms) + i128::from(round.held_paid_atoms);
            must!(
                self.gaps && lost <= most,
                "{} lost {lost} where it gave up {most}",
                cut.trader
            );
            self.agreed.insert(cut.trader, has);
        }
    }

    /// A gap takes what is held of honest profits too, and no more than was paid so.
    pub(super) fn pay_of_what_is_held(&mut self, paid: u64, call: &Call) {
        let mut lost = 0;
        for account in self.agreed.keys().copied().collect::<Vec<_>>() {
            let (has, agreed) = (self.has(&account), self.agreed[&account]);
            let slots = call.before.traders[&account].positions.iter();
            let held = slots.filter(|slot| !slot.is_leg() && slot.held_shares > 0);
            if has.lots == agreed.lots && held.count() > 0 {
                lost += agreed.cash - has.cash;
                self.agreed.insert(account, has);
            }
        }
        must!(
            self.gaps && lost <= i128::from(paid) + 1,
            "honest accounts lost {lost} where held profit paid {paid}"
        );
    }

    /// No more is paid for `closed` of `size` lots than their part of what the position lacks; of a leg, of its
    /// part of what the account lacks.
    fn pays(
        &self,
        bankrupt: &Trader,
        marks: &Marks,
        market: usize,
        leg: bool,
        [closed, size, paid]: [u64; 3],
    ) {
        let lacks = match leg {
            true => -self.rules.cross(bankrupt, marks).share(market),
            false => self.rules.lacking_in(bankrupt, market, marks),
        };
        let share = lacks.max(0) * i128::from(closed) / i128::from(size.max(1));
        must!(
            i128::from(paid) <= share,
            "{paid} was paid for {closed} of {size} lots that lacked {lacks}"
        );
    }

    /// A reward is at most a tenth of what the call saved.
    fn rewarded(&mut self, reward: u64, saved: u64) {
        must!(reward * 10 <= saved, "{saved} saved earned {reward}");
        self.rewards += i128::from(reward);
    }

    /// What a market pays for legs stays within their part of what it may pay in its window, which is longer than
    /// a history.
    fn count_paid(&mut self, market: usize, leg: bool, paid: u64) {
        must!(self.gaps || paid == 0, "insurance paid {paid}");
        self.insured += i128::from(paid);
        self.paid[market][0] += paid;
        if !leg {
            return;
        }
        self.paid[market][1] += paid;
        let [all, legs] = self.paid[market];
        let insurance = self.markets[market].insurance.balance + all;
        must!(
            legs <= insurance * u64::from(DRAW_CAP_BPS) / 10_000,
            "{legs} of {insurance} was paid for legs"
        );
    }

    /// No member is left out of a round that an honest account is cut in, although it is a winner, could bear to
    /// be closed at the close price, and ranks above by more than the tolerance.
    fn nobody_is_spared(&self, round: &AutoDeleveraged, marks: &Marks, market: usize, call: &Call) {
        let by_record = call.round.is_some_and(|round| round.by_record);
        let close = Close {
            quote: round.close_quote_atoms.into(),
            lots: round.close_lots.into(),
            sign: -i128::from(round.lots_before.signum()),
        };
        let rank = |trader: &Pubkey| {
            let account = &call.before.traders[trader];
            self.ranked(
                account,
                marks,
                market,
                &close,
                round.min_profit_bps,
                call.now.0,
            )
        };
        let cut = |trader: &Pubkey| round.cuts.iter().any(|cut| cut.trader == *trader);
        let spared = self.coalition.iter().filter(|member| {
            let before = call.before.cut.contains(&(market, **member));
            !before && !cut(member) && **member != round.bankrupt
        });
        let spared: Vec<_> = spared
            .filter_map(|member| Some((member, rank(member)?)))
            .filter(|(_, rank)| rank.winner && rank.bears && !by_record)
            .collect();
        let honest = round.cuts.iter().map(|cut| &cut.trader);
        for trader in honest.filter(|trader| self.agreed.contains_key(trader)) {
            let Some(last) = rank(trader) else {
                continue;
            };
            for (member, rank) in &spared {
                must!(
                    last.winner && !rank.is_above(&last, round.rank_tolerance_bps),
                    "{trader} was cut with {last:?}, and {member} with {rank:?} was not"
                );
            }
        }
    }

    /// How an account ranks in a market; nothing where it has nothing there on that side, or is believed to be too
    /// weak.
    fn ranked(
        &self,
        trader: &Trader,
        marks: &Marks,
        market: usize,
        close: &Close,
        min_profit_bps: u32,
        now: u64,
    ) -> Option<Rank> {
        let mut slots = trader.positions.iter();
        let key = self.rules.keys[market];
        let slot = slots.find(|slot| slot.market == key && slot.lots != 0)?;
        let weak = slot.cross & CROSS_WEAK != 0 && now - slot.held_slot <= FRESH_SLOTS;
        let lots = i128::from(slot.lots);
        if lots.signum() != close.sign || weak {
            return None;
        }
        let (equity, kept) = match slot.is_leg() {
            true => {
                let account = self.rules.cross(trader, marks);
                (account.equity, account.equity - account.requirement)
            }
            false => {
                let (equity, _) = self.rules.isolated(trader, market, marks)?;
                (equity, equity)
            }
        };
        let (worth, entry) = (
            lots.abs() * i128::from(marks.ticks[market]),
            i128::from(slot.entry_quote).abs(),
        );
        // At the close price, rounded against the account.
        let closed = (lots * close.quote).div_euclid(close.lots) - 1;
        let profit = (worth - entry) * close.sign;
        Some(Rank {
            winner: closed >= i128::from(slot.entry_quote)
                && profit * 10_000 >= entry * i128::from(min_profit_bps),
            bears: kept - (worth * close.sign - closed) >= 0,
            profit,
            worth,
            entry,
            equity,
        })
    }
}

/// A close price, and the side of those who are cut.
struct Close {
    quote: i128,
    lots: i128,
    sign: i128,
}

/// What a position is ranked by: profit per cent times leverage, by all of the equity behind it.
#[derive(Debug)]
struct Rank {
    winner: bool,
    /// Whether it could be closed at the close price.
    bears: bool,
    profit: i128,
    worth: i128,
    entry: i128,
    equity: i128,
}

impl Rank {
    /// Whether its score is above that of another by more than the tolerance.
    fn is_above(&self, other: &Self, tolerance_bps: u32) -> bool {
        let product = |one: &Self, other: &Self, bps: u32| {
            let factors = [one.profit, one.worth, other.entry, other.equity];
            factors.into_iter().map(BigInt::from).product::<BigInt>() * bps
        };
        other.equity > 0
            && product(self, other, 10_000) > product(other, self, 10_000 + tolerance_bps)
    }
}
