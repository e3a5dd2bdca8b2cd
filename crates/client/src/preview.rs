//! What an order would do, played on copies of the accounts as the program plays it: the same lots, fees
//! and margin as in its event, if nothing changes before it lands.
//!
//! Makers' accounts decide whether their orders trade: [`order_makers`](crate::makers::order_makers) names
//! them. Profit that a market short of money would hold is told as free.

mod block;
mod desk;
mod leg;
mod play;

use ballast_engine::descent::{take, Taken};
use ballast_engine::matching::settle_taker;
use ballast_engine::oracle::{Action, Now, OraclePrice};
use ballast_engine::order::{check, reserve, resting, OrderKind, OrderRequest, OrderTerms};
use ballast_engine::position::Position;
use ballast_engine::queue::Queue;
use ballast_engine::trade::{
    check_open_interest, check_opened, open_interest_after, PartyInput, PartyOutcome,
};
use ballast_engine::units::{Atoms, Side};
use ballast_state::error::{ensure, BallastError};
use ballast_state::market::{Market, Touched};
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::position_slot::PositionSlot;
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::accounts::{BookSnapshot, QueueSnapshot};
pub use block::{block, BlockPreview, BlockScene, LegStands};
pub use desk::LegDesk;
pub use leg::{leg, LegPreview};
use play::Play;

/// Everything an order meets.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// Where the market is.
    pub key: Pubkey,
    /// The market.
    pub market: &'a Market,
    /// Its book.
    pub book: &'a BookSnapshot,
    /// Its queues of longs and of shorts.
    pub queues: &'a [QueueSnapshot; 2],
    /// Its price.
    pub price: OraclePrice,
    /// Slot and time.
    pub now: Now,
    /// The trader account that orders.
    pub trader: (Pubkey, &'a Trader),
    /// The accounts listed as makers.
    pub makers: &'a [(Pubkey, Trader)],
    /// What decides on orders of legs, where there may be some: see [`LegDesk`].
    pub legs: Option<LegDesk<'a>>,
}

/// What an order would do.
#[derive(Clone, Debug)]
pub struct OrderPreview {
    /// The market afterwards, as far as the price is concerned.
    pub market: Market,
    /// The queues with the trader's position afterwards; the makers' are as before.
    pub queues: [QueueSnapshot; 2],
    /// The trader's slot in the market afterwards.
    pub slot: PositionSlot,
    /// Its free collateral afterwards, atoms.
    pub free: Atoms,
    /// Lots of the order, a reduce-only one cut to the position.
    pub lots: u64,
    /// Lots filled at once.
    pub filled: u64,
    /// What they cost in all, atoms, without fees.
    pub notional: u64,
    /// What the fills made of the trader; `None` without any.
    pub party: Option<PartyOutcome>,
    /// Lots that would wait in the book.
    pub resting: u64,
    /// What they would reserve, atoms.
    pub reserved: u64,
}

/// Plays an order.
///
/// # Errors
/// What the program would answer, but for what is not in these accounts: a pause, a wrong signer.
pub fn order(scene: &Scene<'_>, args: &PlaceOrderArgs) -> Result<OrderPreview, BallastError> {
    let mut market = *scene.market;
    let touched = market.touch(scene.price, Action::Open, scene.now, 0)?;
    let (key, mut trader) = (scene.trader.0, *scene.trader.1);
    let free = trader.free();
    let slot = trader.slot_or_claim(&scene.key)?;
    let order = Order {
        args,
        request: args.request(),
        before: market.settled(slot)?,
        market: &market,
        touched: &touched,
        pool_backs: false,
    };
    let mut book = scene.book.clone();
    let book = book.book_mut().map_err(|_| BallastError::BookLayout)?;
    let mut play = Play::new(
        scene,
        (&market, &touched),
        book,
        (key, slot.own_orders(), free),
    );
    let done = order.work(&mut play, |play, done| order.settle(play, done))?;
    let party = done.party.as_ref();
    let open_interest = match party {
        Some(party) => {
            let change = [(order.before.lots, party.position.lots)];
            open_interest_after(play.open_interest, &change)?
        }
        None => play.open_interest,
    };
    let (params, mode) = (market.params(), market.mode());
    let was = market.open_interest_lots;
    check_open_interest(params, &touched.mark, mode, was, open_interest)?;
    slot.store_own_orders(&play.own);
    slot.order_margin = slot.order_margin.saturating_add(done.reserved);
    slot.order_count = slot.order_count.saturating_add(u16::from(done.resting > 0));
    if let Some(party) = &done.party {
        slot.store(&party.position);
    }
    let mut queues = scene.queues.clone();
    sync(&mut queues, &key, order.before.side(), slot)?;
    Ok(OrderPreview {
        slot: *slot,
        queues,
        free: done.free,
        lots: done.lots,
        filled: play.taken.lots,
        notional: play.taken.notional,
        party: done.party,
        resting: done.resting,
        reserved: done.reserved,
        market,
    })
}

/// An order and what it is measured by.
struct Order<'a> {
    args: &'a PlaceOrderArgs,
    request: OrderRequest,
    /// The position, funding paid.
    before: Position,
    market: &'a Market,
    touched: &'a Touched,
    /// Whether the pool gives what free collateral lacks for an order to reserve.
    pool_backs: bool,
}

/// What became of an order.
struct Done {
    lots: u64,
    free: Atoms,
    party: Option<PartyOutcome>,
    resting: u64,
    reserved: u64,
    /// What the pool gave, atoms.
    from_pool: u64,
}

impl Order<'_> {
    /// Works the order off; `settle` decides what its fills make of the trader.
    fn work(
        &self,
        play: &mut Play<'_>,
        settle: impl FnOnce(&mut Play<'_>, &mut Done) -> Result<(), BallastError>,
    ) -> Result<Done, BallastError> {
        let (request, mark) = (&self.request, &self.touched.mark);
        let rules = self.market.order_rules(mark, play.now());
        let terms = check(&rules, &self.before, request)?;
        let Taken { left, list_ended } = take(request, &terms, self.args.self_trade.into(), play)?;
        if left > 0 && request.kind == OrderKind::FillOrKill {
            return Err(BallastError::NotFilled);
        }
        let mut done = Done {
            lots: terms.lots,
            free: play.free,
            party: None,
            resting: 0,
            reserved: 0,
            from_pool: 0,
        };
        let mut used = 0;
        if play.taken.lots > 0 {
            used = play.taken.share_of(self.args.margin, done.lots)?;
            settle(play, &mut done)?;
        }
        if let Some(party) = &done.party {
            let lots = party.position.lots;
            play.book.cut_reduce_only(&mut play.own, lots, |_| {})?;
        }
        if left > 0 && request.kind.rests() && !list_ended {
            let margin = self.args.margin.saturating_sub(used);
            self.rest(play, &terms, left, (rules.least_worth, margin), &mut done)?;
        }
        if let Some(party) = &done.party {
            let (after, reduced) = (&party.position, party.reduced_only);
            check_opened(rules.least_lots, after, reduced, done.resting)?;
        }
        Ok(done)
    }

    /// Settles the fills of an isolated position.
    fn settle(&self, play: &mut Play<'_>, done: &mut Done) -> Result<(), BallastError> {
        let share = play.taken.share_of(self.args.margin, done.lots)?;
        let input = PartyInput {
            position: self.before,
            free: play.free,
            margin_to_add: share,
        };
        let (params, mark) = (self.market.params(), &self.touched.mark);
        let party = settle_taker(params, mark, &input, self.request.side, &play.taken)?;
        done.free = party.free;
        done.party = Some(party);
        Ok(())
    }

    /// Lets what is left of the order wait, where it may.
    fn rest(
        &self,
        play: &Play<'_>,
        terms: &OrderTerms,
        left: u64,
        (least_worth, margin): (u64, u64),
        done: &mut Done,
    ) -> Result<(), BallastError> {
        let (request, party) = (&self.request, done.party.as_ref());
        let position = party.map_or(&self.before, |party| &party.position);
        let waiting = match request.reduce_only {
            true => play.book.as_ref().reduce_only_lots(&play.own)?,
            false => 0,
        };
        let (held, traded) = ((position, waiting), play.taken.lots > 0);
        let lots = resting(request, terms, left, least_worth, held, traded)?;
        if lots == 0 {
            return Ok(());
        }
        let (params, mark) = (self.market.params(), &self.touched.mark);
        done.resting = lots;
        done.reserved = reserve(params, mark, request, terms, lots, margin)?;
        done.free = done.free.try_sub_unsigned(done.reserved)?;
        if done.free.is_negative() {
            ensure(self.pool_backs, BallastError::InsufficientCollateral)?;
            done.from_pool = done.free.get().unsigned_abs();
            done.free = Atoms::ZERO;
        }
        Ok(())
    }
}

/// Brings the queues to what a slot holds.
fn sync(
    queues: &mut [QueueSnapshot; 2],
    trader: &Pubkey,
    before: Option<Side>,
    slot: &mut PositionSlot,
) -> Result<(), BallastError> {
    let position = slot.position()?;
    let after = position.side();
    match (before, after) {
        (Some(side), Some(same)) if side == same => {
            queue_of(queues, side)?.update(slot.queue_node, &position)?;
        }
        _ => {
            if let Some(side) = before {
                queue_of(queues, side)?.remove(slot.queue_node)?;
                slot.queue_node = NO_NODE;
            }
            if let Some(side) = after {
                slot.queue_node = queue_of(queues, side)?.insert(trader.to_bytes(), &position)?;
            }
        }
    }
    Ok(())
}

fn queue_of(queues: &mut [QueueSnapshot; 2], side: Side) -> Result<Queue<'_>, BallastError> {
    let [long, short] = queues;
    let queue = match side {
        Side::Long => long,
        Side::Short => short,
    };
    queue.queue_mut().map_err(|_| BallastError::QueueLayout)
}
