//! From the events of a transaction to the lines of history.

use std::collections::BTreeMap;

use ballast_client::addresses;
use ballast_state::book_account::OrderSide;
use ballast_state::events::{
    AutoDeleveraged, BallastEvent, BlockTraded, CancelledOrders, OrderCancelled, OrderFilled,
    OrderRemoved, PartyTraded, PositionLiquidated, RemovalReason,
};
use ballast_state::pool::POOL_SUB_ID;
use ballast_state::Pubkey;

use crate::entry::{Change, Entry, Kind, Moved, Sum};

mod cross;
mod end;
mod other;
mod sums;

/// Atoms of a lot at a tick, by market.
pub type Ticks = BTreeMap<Pubkey, u64>;

/// The lines of a transaction's events, and what they did to sums.
#[must_use]
pub fn read(events: &[BallastEvent], ticks: &Ticks) -> (Vec<Entry>, Vec<Change>) {
    let mut reader = Reader {
        entries: Vec::new(),
        changes: Vec::new(),
        liquidator: Pubkey::default(),
        event: "",
        idx: 0,
        sub: 0,
        moved: 0,
        ticks,
    };
    for (idx, event) in (0_u32..).zip(events) {
        (reader.event, reader.idx, reader.sub, reader.moved) = (event.name(), idx, 0, 0);
        reader.read(event);
        reader.sums(event);
    }
    (reader.entries, reader.changes)
}

struct Reader<'a> {
    entries: Vec<Entry>,
    changes: Vec<Change>,
    /// To whom the lots of the last liquidation were put down.
    liquidator: Pubkey,
    event: &'static str,
    idx: u32,
    sub: u32,
    moved: u32,
    ticks: &'a Ticks,
}

/// What lots were bought or sold with the fills of an event.
struct Taken<'a> {
    market: Pubkey,
    taker: Pubkey,
    bought: bool,
    mark_ticks: u64,
    fills: &'a [OrderFilled],
    removed: &'a [OrderRemoved],
}

/// `buy` or `sell`.
const fn side(bought: bool) -> &'static str {
    match bought {
        true => "buy",
        false => "sell",
    }
}

const fn reason(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Expired => "expired",
        RemovalReason::Unhealthy => "unhealthy",
        RemovalReason::NothingToReduce => "nothing_to_reduce",
        RemovalReason::NoRoom => "no_room",
        RemovalReason::Reduced => "reduced",
        RemovalReason::Evicted => "evicted",
        RemovalReason::ProfitIsHeld => "profit_is_held",
    }
}

fn signed(atoms: u64) -> Option<i64> {
    i64::try_from(atoms).ok()
}

fn negative(atoms: u64) -> Option<i64> {
    signed(atoms)?.checked_neg()
}

impl Reader<'_> {
    fn line(&self, kind: Kind) -> Entry {
        Entry {
            kind: kind.name(),
            event: self.event,
            ..Entry::default()
        }
    }

    fn in_market(&self, kind: Kind, market: Pubkey) -> Entry {
        Entry {
            market: Some(market),
            ..self.line(kind)
        }
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(Entry {
            idx: self.idx,
            sub: self.sub,
            ..entry
        });
        self.sub += 1;
    }

    fn sum(&mut self, market: Pubkey, of: Sum, moved: Moved) {
        self.changes.push(Change {
            idx: self.idx,
            sub: self.moved,
            market,
            of,
            moved,
        });
        self.moved += 1;
    }

    fn change(&mut self, market: Pubkey, trader: Pubkey, lots: Moved) {
        self.sum(market, Sum::Position(trader), lots);
    }

    fn party(&mut self, market: Pubkey, party: &PartyTraded) {
        let lots = Moved::FromTo(party.lots_before, party.lots_after);
        self.change(market, party.trader, lots);
    }

    fn quote(&self, market: &Pubkey, ticks: u64, lots: u64) -> Option<u64> {
        ticks
            .checked_mul(lots)?
            .checked_mul(*self.ticks.get(market)?)
    }

    fn read(&mut self, event: &BallastEvent) {
        match event {
            BallastEvent::BlockTraded(event) => self.block(event),
            BallastEvent::CrossBlockTraded(event) => self.cross_block(event),
            BallastEvent::OrderPlaced(event) => {
                let market = event.market;
                let bought = event.side == OrderSide::Bid;
                self.push(Entry {
                    trader: Some(event.trader),
                    side: Some(side(bought)),
                    lots: Some(event.lots),
                    price_ticks: Some(event.price_ticks),
                    amount_atoms: signed(event.reserved_atoms),
                    before: signed(event.filled_lots),
                    after: signed(event.resting_lots),
                    mark_ticks: Some(event.mark_ticks),
                    number: (event.order_id != 0).then(|| event.order_id.to_string()),
                    detail: Some("placed"),
                    ..self.in_market(Kind::Order, market)
                });
                self.cancelled(market, event.trader, &event.cancelled);
                self.traded(
                    &Taken {
                        market,
                        taker: event.trader,
                        bought,
                        mark_ticks: event.mark_ticks,
                        fills: &event.fills,
                        removed: &event.removed,
                    },
                    event.taker.as_ref(),
                );
            }
            BallastEvent::TriggerExecuted(event) => {
                self.closed(event.market, event.mark_ticks, event.trader, "fired");
                self.cancelled(event.market, event.trader, &event.cancelled);
                self.traded(
                    &Taken {
                        market: event.market,
                        taker: event.trader,
                        bought: event.side == OrderSide::Bid,
                        mark_ticks: event.mark_ticks,
                        fills: &event.fills,
                        removed: &event.removed,
                    },
                    event.taker.as_ref(),
                );
            }
            BallastEvent::ProtectionExecuted(event) => {
                self.closed(event.market, event.mark_ticks, event.trader, "step");
                self.cancelled(event.market, event.trader, &event.cancelled);
                self.traded(
                    &Taken {
                        market: event.market,
                        taker: event.trader,
                        bought: event.side == OrderSide::Bid,
                        mark_ticks: event.mark_ticks,
                        fills: &event.fills,
                        removed: &event.removed,
                    },
                    event.taker.as_ref(),
                );
            }
            BallastEvent::PoolUnwound(event) => {
                self.closed(
                    event.market,
                    event.mark_ticks,
                    event.taker.trader,
                    "unwound",
                );
                let taker = &event.taker;
                self.traded(
                    &Taken {
                        market: event.market,
                        taker: taker.trader,
                        bought: taker.lots_after > taker.lots_before,
                        mark_ticks: event.mark_ticks,
                        fills: &event.fills,
                        removed: &event.removed,
                    },
                    Some(taker),
                );
            }
            BallastEvent::OrdersCancelled(event) => {
                self.cancelled(event.market, event.trader, &event.orders);
            }
            BallastEvent::PositionLiquidated(event) => self.liquidated(event),
            BallastEvent::PoolTook(event) => {
                let trader = addresses::trader(&event.pool, POOL_SUB_ID);
                self.push(Entry {
                    trader: Some(trader),
                    other: Some(event.trader),
                    side: Some(side(event.lots > 0)),
                    lots: Some(event.lots.unsigned_abs()),
                    quote_atoms: Some(event.quote_atoms.unsigned_abs()),
                    amount_atoms: signed(event.discount_atoms),
                    before: Some(event.lots_before),
                    after: Some(event.lots_after),
                    mark_ticks: Some(event.mark_ticks),
                    detail: Some("took"),
                    ..self.in_market(Kind::Fund, event.market)
                });
                let liquidator = self.liquidator;
                self.change(event.market, liquidator, Moved::By(-event.lots));
                let lots = Moved::FromTo(event.lots_before, event.lots_after);
                self.change(event.market, trader, lots);
            }
            BallastEvent::AutoDeleveraged(event) => self.deleveraged(event),
            BallastEvent::LegsMade(event) => self.legs_made(event),
            other => self.other(other),
        }
    }

    fn closed(&mut self, market: Pubkey, mark_ticks: u64, trader: Pubkey, detail: &'static str) {
        self.push(Entry {
            trader: Some(trader),
            mark_ticks: Some(mark_ticks),
            detail: Some(detail),
            ..self.in_market(Kind::Trigger, market)
        });
    }

    fn cancelled(&mut self, market: Pubkey, trader: Pubkey, orders: &[OrderCancelled]) {
        for order in orders {
            self.push(Entry {
                trader: Some(trader),
                side: Some(side(order.side == OrderSide::Bid)),
                lots: Some(order.lots.into()),
                price_ticks: Some(order.price_ticks),
                amount_atoms: signed(order.margin_atoms),
                number: Some(order.id.to_string()),
                detail: Some("cancelled"),
                ..self.in_market(Kind::Order, market)
            });
        }
    }

    fn all_cancelled(&mut self, market: Pubkey, orders: Option<&CancelledOrders>) {
        if let Some(orders) = orders {
            self.push(Entry {
                trader: Some(orders.trader),
                before: Some(orders.orders.into()),
                after: Some(0),
                amount_atoms: signed(orders.margin_atoms),
                detail: Some("all_cancelled"),
                ..self.in_market(Kind::Order, market)
            });
        }
    }

    /// What somebody took of the book, and what it made of its position; `taker` is `None` of a leg and without fills.
    fn traded(&mut self, taken: &Taken<'_>, taker: Option<&PartyTraded>) {
        self.taken(taken);
        if let Some(taker) = taker {
            self.party(taken.market, taker);
        }
    }

    fn taken(&mut self, taken: &Taken<'_>) {
        for fill in taken.fills {
            self.push(Entry {
                trader: Some(taken.taker),
                other: Some(fill.maker),
                side: Some(side(taken.bought)),
                lots: Some(fill.lots),
                price_ticks: Some(fill.price_ticks),
                quote_atoms: self.quote(&taken.market, fill.price_ticks, fill.lots),
                fee_atoms: signed(fill.taker_fee),
                other_fee_atoms: Some(fill.maker_fee),
                mark_ticks: Some(taken.mark_ticks),
                number: Some(fill.order_id.to_string()),
                detail: Some("book"),
                ..self.in_market(Kind::Fill, taken.market)
            });
            self.change(taken.market, fill.maker, Moved::To(fill.maker_lots_after));
        }
        for order in taken.removed {
            self.push(Entry {
                trader: Some(order.maker),
                side: Some(side(!taken.bought)),
                lots: Some(order.lots),
                price_ticks: Some(order.price_ticks),
                fee_atoms: signed(order.fee_atoms),
                number: Some(order.order_id.to_string()),
                detail: Some(reason(order.reason)),
                ..self.in_market(Kind::Order, taken.market)
            });
        }
    }

    fn block(&mut self, event: &BlockTraded) {
        let lots = event.lots.unsigned_abs();
        self.push(Entry {
            trader: Some(event.taker.trader),
            other: Some(event.maker.trader),
            side: Some(side(event.lots > 0)),
            lots: Some(lots),
            price_ticks: Some(event.price_ticks),
            quote_atoms: self.quote(&event.market, event.price_ticks, lots),
            fee_atoms: Some(event.taker.fee),
            other_fee_atoms: Some(event.maker.fee),
            mark_ticks: Some(event.mark_ticks),
            detail: Some("block"),
            ..self.in_market(Kind::Fill, event.market)
        });
        self.party(event.market, &event.taker);
        self.party(event.market, &event.maker);
    }

    fn liquidated(&mut self, event: &PositionLiquidated) {
        let market = event.market;
        self.push(Entry {
            trader: Some(event.trader),
            other: Some(event.liquidator),
            side: Some(side(event.lots > 0)),
            lots: Some(event.lots.unsigned_abs()),
            quote_atoms: Some(event.quote_atoms.unsigned_abs()),
            fee_atoms: signed(
                event
                    .insurance_fee_atoms
                    .saturating_add(event.book_reward_atoms),
            ),
            amount_atoms: signed(event.discount_atoms),
            before: Some(event.lots_before),
            after: Some(event.lots_after),
            mark_ticks: Some(event.mark_ticks),
            ..self.in_market(Kind::Liquidation, market)
        });
        self.insurance(
            market,
            event.insurance_before_atoms,
            event.insurance_after_atoms,
        );
        self.all_cancelled(market, event.cancelled.as_ref());
        self.taken(&Taken {
            market,
            taker: event.trader,
            bought: event.lots > 0,
            mark_ticks: event.mark_ticks,
            fills: &event.fills,
            removed: &event.removed,
        });
        let lots = Moved::FromTo(event.lots_before, event.lots_after);
        self.change(market, event.trader, lots);
        let over = event.lots_before - event.lots_after + event.book_lots;
        self.liquidator = event.liquidator;
        if over != 0 {
            self.change(market, event.liquidator, Moved::By(over));
        }
    }

    fn deleveraged(&mut self, event: &AutoDeleveraged) {
        let market = event.market;
        let number = Some(event.bankruptcy_id.to_string());
        let lots = Moved::FromTo(event.lots_before, event.lots_after);
        self.push(Entry {
            trader: Some(event.bankrupt),
            other: Some(event.keeper),
            side: Some(side(event.lots_before < 0)),
            lots: Some(event.lots_closed),
            quote_atoms: scaled(event.close_quote_atoms, event.lots_closed, event.close_lots),
            amount_atoms: signed(event.gave_up_atoms),
            before: Some(event.lots_before),
            after: Some(event.lots_after),
            mark_ticks: Some(event.mark_ticks),
            number: number.clone(),
            ..self.in_market(Kind::Deleveraging, market)
        });
        self.insurance(
            market,
            event.insurance_before_atoms,
            event.insurance_after_atoms,
        );
        self.all_cancelled(market, event.cancelled.as_ref());
        self.change(market, event.bankrupt, lots);
        for cut in &event.cuts {
            let closed = signed(cut.lots_closed).unwrap_or(i64::MAX);
            let after = cut.lots_before - cut.lots_before.signum() * closed;
            self.push(Entry {
                trader: Some(cut.trader),
                other: Some(event.bankrupt),
                side: Some(side(cut.lots_before < 0)),
                lots: Some(cut.lots_closed),
                quote_atoms: Some(cut.quote_atoms.unsigned_abs()),
                amount_atoms: signed(cut.gave_up_atoms),
                before: Some(cut.lots_before),
                after: Some(after),
                mark_ticks: Some(event.mark_ticks),
                number: number.clone(),
                detail: Some(match cut.winner {
                    true => "winner",
                    false => "other",
                }),
                ..self.in_market(Kind::Cut, market)
            });
            self.change(market, cut.trader, Moved::FromTo(cut.lots_before, after));
        }
    }

    fn insurance(&mut self, market: Pubkey, before: u64, after: u64) {
        if before == after {
            return;
        }
        let (before, after) = (signed(before), signed(after));
        self.push(Entry {
            before,
            after,
            amount_atoms: after
                .zip(before)
                .and_then(|(after, before)| after.checked_sub(before)),
            ..self.in_market(Kind::Insurance, market)
        });
    }
}

/// The quote of `lots` where `of` have this one, rounded down.
fn scaled(quote: i64, lots: u64, of: u64) -> Option<u64> {
    let total = u128::from(quote.unsigned_abs()) * u128::from(lots);
    u64::try_from(total.checked_div(u128::from(of))?).ok()
}
