//! Trades, crashes, liquidations and deleveraging: money is conserved, nothing panics and
//! nobody but the market makes anybody insolvent.

use ballast_engine::adl::{Bankruptcy, Cut, Deleveraging};
use ballast_engine::distress::Distress;
use ballast_engine::liquidation::{health, plan, Health, LiquidationInput};
use ballast_engine::proof::{first_skipped, BestFirst};
use ballast_engine::risk::{RiskParams, MAX_FUNDING_RATE_PPM};
use ballast_engine::trade::{
    add_margin, block_trade, remove_margin, take_over, TradeMarket, TradeTerms,
};
use ballast_engine::units::{Lots, Side, Ticks};
use ballast_engine::EngineError;

use crate::bytes::Bytes;
use crate::ledger::{mark, Ledger, ACCOUNTS};

/// Runs the orders, prices and keepers that the bytes stand for.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut ledger = Ledger::new(&mut bytes);
    while !bytes.is_empty() {
        ledger.slot += 5;
        match bytes.byte() % 8 {
            0..=2 => trade(&mut ledger, &mut bytes),
            3 => move_price(&mut ledger, &mut bytes),
            4 => liquidate(&mut ledger, &mut bytes),
            5 => transfer(&mut ledger, &mut bytes),
            _ => deleverage(&mut ledger, &mut bytes),
        }
        ledger.check();
    }
}

fn pair(bytes: &mut Bytes<'_>) -> (usize, usize) {
    let first = bytes.place(ACCOUNTS);
    (first, (first + 1 + bytes.place(ACCOUNTS - 1)) % ACCOUNTS)
}

fn trade(ledger: &mut Ledger, bytes: &mut Bytes<'_>) {
    let (taker, maker) = pair(bytes);
    let size = bytes.signed(4_000);
    let at = ledger.mark.price.get();
    let price = at * bytes.within(9_800, 10_200) / 10_000;
    let margin = size.unsigned_abs() * price / (5 + bytes.within(0, 15));
    let terms = TradeTerms {
        lots: Lots::new(size).expect("few"),
        price: Ticks::new(price),
    };
    let market = TradeMarket {
        atoms_per_lot_tick: 1,
        open_interest_lots: ledger.open_interest,
        least_lots: 1,
        mode: ballast_engine::wind_down::MarketMode::Active,
    };
    let (took, made) = (ledger.party(taker, margin), ledger.party(maker, margin));
    let done = block_trade(&ledger.params, &ledger.mark, &market, &terms, &took, &made);
    let Ok(done) = done else {
        return;
    };
    for (account, outcome) in [(taker, done.taker), (maker, done.maker)] {
        ledger.accounts[account].free = outcome.free;
        ledger.set(account, outcome.position, None);
        let after = health(&outcome.position, ledger.mark.price, &ledger.params);
        assert!(outcome.reduced_only || after == Ok(Health::Healthy));
    }
    assert_eq!(ledger.open_interest, done.open_interest_lots);
    ledger.fees += done.market_fees;
    ledger.insurance = ledger.insurance.credit(done.insurance_fees).expect("small");
}

/// Funding accrues, at the base rate or with a book that already trades at the next price.
fn move_price(ledger: &mut Ledger, bytes: &mut Bytes<'_>) {
    let until = ledger.funding.last_timestamp + bytes.signed(25_000).abs();
    let rate = i32::try_from(bytes.signed(10_000)).expect("small");
    let moved = ledger.mark.price.get() * bytes.within(8_500, 11_500) / 10_000;
    let next = mark(moved.clamp(2_000, 40_000), 20);
    let params = RiskParams {
        funding_rate_ppm_per_hour: rate,
        max_funding_rate_ppm: MAX_FUNDING_RATE_PPM,
        impact_notional_atoms: u64::from(rate % 2 != 0),
        ..ledger.params
    };
    let book = Some(next.price);
    let sampled = ledger.funding.with_impact(Side::Long, book);
    let sampled = sampled.with_impact(Side::Short, book);
    let accrued = sampled.accrue(&params, ledger.mark.price, until);
    ledger.funding = accrued.expect("within range");
    ledger.mark = next;
}

fn liquidate(ledger: &mut Ledger, bytes: &mut Bytes<'_>) {
    let (victim, liquidator) = pair(bytes);
    let input = LiquidationInput {
        position: ledger.settled(victim),
        mark: ledger.mark.price,
        params: &ledger.params,
        slot: ledger.slot,
        distress: Distress {
            flagged_slot: ledger.slot.saturating_sub(bytes.within(0, 255)),
            seen_slot: ledger.slot,
            last_step_slot: ledger.accounts[victim].last_step_slot,
            ..Distress::NONE
        },
        insurance_available: available(ledger),
    };
    let Ok(plan) = plan(&input) else {
        return;
    };
    let equity = plan.equity_before;
    let after = plan
        .position_after
        .equity(ledger.mark.price)
        .expect("small");
    assert!(plan.position_after.is_empty() || !after.is_negative());
    assert!(!plan.victim_payout.is_negative());
    assert!(plan.discount_atoms + plan.insurance_fee_atoms <= equity.positive_part());
    let (lots, quote) = plan.liquidator_fill().expect("small").expect("lots");
    let free = ledger.accounts[liquidator].free.positive_part();
    let party = ledger.party(
        liquidator,
        free.min(lots.size() * ledger.mark.price.get() / 4),
    );
    let Ok(took) = take_over(
        &ledger.params,
        &ledger.mark,
        &party,
        lots,
        quote,
        input.position.size(),
    ) else {
        return;
    };
    let drawn = ledger
        .insurance
        .draw(&ledger.params, ledger.slot, plan.insurance_paid_atoms);
    let credited = drawn.expect("available").credit(plan.insurance_fee_atoms);
    ledger.insurance = credited.expect("small");
    let free = ledger.accounts[victim].free.try_add(plan.victim_payout);
    ledger.accounts[victim].free = free.expect("small");
    ledger.accounts[victim].last_step_slot = ledger.slot;
    ledger.accounts[liquidator].free = took.free;
    ledger.set(victim, plan.position_after, None);
    ledger.set(liquidator, took.position, None);
}

fn available(ledger: &Ledger) -> u64 {
    let available = ledger.insurance.available(&ledger.params, ledger.slot);
    available.expect("small")
}

/// Margin in, margin out, or a gift to insurance.
fn transfer(ledger: &mut Ledger, bytes: &mut Bytes<'_>) {
    let (account, _) = pair(bytes);
    let amount = bytes.within(0, 1 << 20);
    let party = ledger.party(account, 0);
    let moved = match bytes.byte() % 3 {
        0 => add_margin(&party.position, party.free, amount),
        1 => remove_margin(
            &ledger.params,
            &ledger.mark,
            &party.position,
            party.free,
            amount,
        ),
        _ => {
            ledger.insurance = ledger.insurance.credit(amount).expect("small");
            ledger.deposits += i64::try_from(amount).expect("small");
            return;
        }
    };
    if let Ok((position, free)) = moved {
        ledger.accounts[account].free = free;
        ledger.set(account, position, None);
    }
}

fn deleverage(ledger: &mut Ledger, bytes: &mut Bytes<'_>) {
    let victim = bytes.place(ACCOUNTS);
    let position = ledger.settled(victim);
    let Some(side) = position.side().map(Side::opposite) else {
        return;
    };
    let (fresh, slot) = (bytes.byte().is_multiple_of(4), ledger.slot);
    let mut queue = ledger.queue(side).queue();
    let passes = if fresh {
        queue.open_pass(slot)
    } else {
        queue.join_pass(0, slot)
    };
    let passes = passes.expect("few");
    let params = ledger.params.adl;
    let begun = Deleveraging::begin(&Bankruptcy {
        position,
        mark: ledger.mark.price,
        funding_index: ledger.funding.index,
        insurance_available: available(ledger),
        past_grace: bytes.byte().is_multiple_of(2),
        taker: None,
        max_lots: bytes.sized(1, 1 << 20),
        least_lots: ledger.params.min_position_lots,
        params: &params,
        epoch: passes,
        passes,
    });
    let mut call = match begun {
        Ok(call) => call,
        Err(EngineError::NotBankrupt) => {
            assert!(!position
                .equity(ledger.mark.price)
                .expect("small")
                .is_negative());
            return;
        }
        Err(_) => return,
    };
    let most = 1 + bytes.place(ACCOUNTS);
    let list: Vec<u32> = BestFirst::new(ledger.queue(side).view(), *call.round())
        .take(most)
        .map(|step| step.expect("sound").0)
        .collect();
    let mut last = None;
    for node in list {
        if cut(ledger, &mut call, side, node) {
            last = Some(node);
        }
    }
    let Some(last) = last else {
        return;
    };
    let view = ledger.queue(side).view();
    let ignore = view.entry(last).is_ok().then_some(last);
    let walk = first_skipped(&view, call.round(), &call.threshold(), ignore).expect("sound");
    assert_eq!(walk.skipped, None, "an honest list was refused");
    let summary = call.finish().expect("no overshoot");
    assert_eq!(summary.overshoot(), Ok(0));
    let drawn = ledger
        .insurance
        .draw(&ledger.params, ledger.slot, summary.insurance_paid);
    ledger.insurance = drawn.expect("available");
    let after = call.bankrupt_after().expect("small");
    assert!(!after.is_empty() || after.margin.get() == 0);
    ledger.set(victim, after, None);
}

/// Cuts one counterparty; whether it was.
fn cut(ledger: &mut Ledger, call: &mut Deleveraging, side: Side, node: u32) -> bool {
    let account = ledger.holder(side, node);
    let entry = *ledger.queue(side).view().entry(node).expect("live");
    let before = ledger.accounts[account].position;
    let outcome = call.cut(&before, entry.sequence, entry.stamp());
    let Cut::Done(done) = outcome.expect("in order") else {
        return false;
    };
    let equity = done
        .position_after
        .equity(ledger.mark.price)
        .expect("small");
    assert!(!equity.is_negative(), "a counterparty was made insolvent");
    assert!(!done.payout.is_negative());
    let free = ledger.accounts[account].free.try_add(done.payout);
    ledger.accounts[account].free = free.expect("small");
    ledger.set(account, done.position_after, Some(done.stamp));
    true
}
