//! Orders as the scenarios place them, and what must hold of the book after each.

use anchor_lang::prelude::Pubkey;
use ballast_engine::units::{LotPrice, Side};
use ballast_sandbox::{TraderCookie, TxResult};
use ballast_state::book_account::OrderSide;
use ballast_state::error::BallastError;
use ballast_state::events::OrderPlaced;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::position_slot::PositionSlot;
use bytemuck::Zeroable;

use crate::event;
use crate::support::{done, refused, Venue, USD};

/// A limit order to buy.
pub fn bid(price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    limit(OrderSide::Bid, price_ticks, lots)
}

/// A limit order to sell.
pub fn ask(price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    limit(OrderSide::Ask, price_ticks, lots)
}

/// A limit order.
pub fn limit(side: OrderSide, price_ticks: u64, lots: u64) -> PlaceOrderArgs {
    PlaceOrderArgs {
        side,
        kind: OrderKind::Limit,
        price_ticks,
        lots,
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::CancelProvide,
    }
}

/// The order, but of this kind.
pub fn of_kind(kind: OrderKind, args: PlaceOrderArgs) -> PlaceOrderArgs {
    PlaceOrderArgs { kind, ..args }
}

/// The order, reduce-only.
pub fn reducing(args: PlaceOrderArgs) -> PlaceOrderArgs {
    PlaceOrderArgs {
        reduce_only: true,
        ..args
    }
}

/// Immediate-or-cancel.
pub fn ioc(args: PlaceOrderArgs) -> PlaceOrderArgs {
    of_kind(OrderKind::ImmediateOrCancel, args)
}

/// Addresses of trader accounts.
pub fn listed(makers: &[&TraderCookie]) -> Vec<Pubkey> {
    makers.iter().map(|maker| maker.address).collect()
}

impl Venue {
    /// A further trader with so many dollars.
    pub fn trader(&mut self, dollars: u64) -> TraderCookie {
        self.sandbox.create_trader(dollars * USD).unwrap()
    }

    /// The two traders of the venue.
    pub fn two(&self) -> (TraderCookie, TraderCookie) {
        (self.alice.clone(), self.bob.clone())
    }

    /// Places an order against these makers.
    pub fn order(
        &mut self,
        trader: &TraderCookie,
        args: PlaceOrderArgs,
        makers: &[&TraderCookie],
    ) -> TxResult {
        self.sandbox
            .place_order(&self.market, trader, args, &listed(makers))
    }

    /// The same, which goes through and leaves everything sound.
    #[track_caller]
    pub fn place(
        &mut self,
        trader: &TraderCookie,
        args: PlaceOrderArgs,
        makers: &[&TraderCookie],
    ) -> OrderPlaced {
        let outcome = done(self.order(trader, args, makers));
        self.sound();
        let event = event!(outcome, OrderPlaced);
        assert_eq!(
            event.filled_lots,
            event.fills.iter().map(|fill| fill.lots).sum::<u64>()
        );
        let parts = event.filled_lots + event.resting_lots + event.dropped_lots;
        assert_eq!(event.lots, parts);
        event
    }

    /// The same, which fails and changes nothing.
    #[track_caller]
    pub fn refuse(
        &mut self,
        error: BallastError,
        trader: &TraderCookie,
        args: PlaceOrderArgs,
        makers: &[&TraderCookie],
    ) {
        let (market, makers) = (self.market.clone(), listed(makers));
        refused(&mut self.sandbox, error, |s| {
            s.place_order(&market, trader, args, &makers)
        });
    }

    /// What a trader has in the market; all zero when nothing.
    pub fn slot(&self, trader: &TraderCookie) -> PositionSlot {
        self.sandbox
            .position(&self.market, &trader.address)
            .unwrap_or(PositionSlot::zeroed())
    }

    /// Signed lots, margin of the position and reserve of the orders.
    pub fn holds(&self, trader: &TraderCookie) -> (i64, i64, u64) {
        let slot = self.slot(trader);
        (slot.lots, slot.margin, slot.order_margin)
    }

    /// Price and lots of the orders of a side, the best first.
    pub fn resting(&self, side: OrderSide) -> Vec<(u64, u64)> {
        let book = self.sandbox.book(&self.market);
        let orders = book.book().unwrap();
        orders
            .iter(side.into())
            .map(|step| step.unwrap().1)
            .map(|order| (order.price().get(), order.size()))
            .collect()
    }

    /// Fails unless every atom is there, book, slots and open interest agree, and the market has
    /// the impact prices of the book.
    #[track_caller]
    pub fn sound(&self) {
        self.conserves();
        let snapshot = self.sandbox.book(&self.market);
        let book = snapshot.book().unwrap();
        assert_eq!(book.invariant(), Ok(()));
        let (mut orders, mut longs) = (0, 0);
        for address in self.sandbox.trader_addresses() {
            let Some(slot) = self.sandbox.position(&self.market, address) else {
                continue;
            };
            assert!(slot.lots != 0 || slot.order_count > 0, "an idle slot");
            orders += u32::from(slot.order_count);
            longs += slot.lots.max(0).unsigned_abs();
            let own = book.own_invariant(&address.to_bytes(), &slot.own_orders());
            assert_eq!(own, Ok(()));
            let reducing = book.reduce_only_lots(&slot.own_orders()).unwrap();
            assert!(
                reducing <= slot.lots.unsigned_abs(),
                "{reducing} lots to reduce"
            );
            assert!(self.sandbox.trader(address).free >= 0);
        }
        assert_eq!(orders, book.len(Side::Long) + book.len(Side::Short));
        let market = self.sandbox.market(&self.market);
        assert_eq!(market.open_interest_lots, longs);
        let notional = market.params().impact_notional_atoms;
        let impact = |side| match notional {
            0 => 0,
            _ => book
                .impact_price(side, &market.sampling().unwrap())
                .unwrap()
                .map_or(0, LotPrice::get),
        };
        let stored = (market.funding.impact_bid, market.funding.impact_ask);
        assert_eq!(
            (u64::from(stored.0), u64::from(stored.1)),
            (impact(Side::Long), impact(Side::Short))
        );
    }
}
