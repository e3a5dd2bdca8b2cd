//! What an order, a transfer or a liquidation would do, without sending anything.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail, Context, Result};
use ballast_client::cross::listed;
use ballast_client::liquidation::foresee;
use ballast_client::makers::{liquidation_makers, order_makers, TakerView};
use ballast_client::preview::{order, LegDesk, Scene};
use ballast_engine::liquidation::LiquidationInput;
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::position::Position;
use ballast_state::cross::CrossBoard;
use ballast_state::order_args::PlaceOrderArgs;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use serde::Serialize;

use crate::failure::Computed;
use crate::positions::PositionView;
use crate::state::MarketState;
use crate::units::Collateral;

/// The trader accounts to list as makers, in order.
#[derive(Clone, Debug, Serialize)]
pub struct MakersView {
    market: String,
    slot: u64,
    /// Addresses.
    pub makers: Vec<String>,
}

impl MakersView {
    fn new(state: &MarketState, makers: &[Pubkey]) -> Self {
        Self {
            market: state.name(),
            slot: state.slot,
            makers: makers.iter().map(Pubkey::to_string).collect(),
        }
    }

    /// Those whose orders an order of `trader` meets, and `spares` more.
    ///
    /// # Errors
    /// What the program would answer.
    pub fn of_order(
        state: &MarketState,
        (address, trader): (&Pubkey, &Trader),
        args: &PlaceOrderArgs,
        spares: usize,
    ) -> Result<Self> {
        let taker = TakerView {
            market: &state.market,
            price: *price_of(state)?,
            now: state.now,
            trader: *address,
            position: position_of(state, trader)?,
        };
        let (book, own) = (state.book.book()?, args.self_trade.into());
        let makers = order_makers(&book, &taker, &args.request(), own, spares).computed()?;
        Ok(Self::new(state, &makers))
    }
}

/// What an order would do.
#[derive(Clone, Debug, Serialize)]
pub struct OrderView {
    market: String,
    slot: u64,
    /// A reduce-only order is cut to the position.
    lots: u64,
    size: String,
    filled_lots: u64,
    resting_lots: u64,
    dropped_lots: u64,
    /// What the fills cost, without fees.
    notional_atoms: u64,
    /// Cut off to a hundredth of a tick; `null` without a fill.
    average_price: Option<String>,
    fee_atoms: i64,
    realized_atoms: i64,
    margin_added_atoms: u64,
    reserved_atoms: u64,
    free_before_atoms: i64,
    free_after_atoms: i64,
    /// The position afterwards, with its light; `null` where nothing is left.
    position: Option<PositionView>,
}

impl OrderView {
    /// Of an order of `trader` that lists `makers`; `legs` are needed where an order of theirs is a leg's.
    ///
    /// # Errors
    /// What the program would answer.
    pub fn new(
        mut state: MarketState,
        (address, trader): (&Pubkey, &Trader),
        makers: &[(Pubkey, Trader)],
        legs: Option<LegDesk<'_>>,
        args: &PlaceOrderArgs,
    ) -> Result<Self> {
        let queues = state.queues.as_ref().context("the queues were not read")?;
        let scene = Scene {
            key: state.keys.market,
            market: &state.market,
            book: &state.book,
            queues,
            price: *price_of(&state)?,
            now: Now {
                slot: state.slot,
                unix_timestamp: state.now,
            },
            trader: (*address, trader),
            makers,
            legs,
        };
        let done = order(&scene, args).map_err(|error| anyhow!("{}: {error}", error.name()))?;
        let units = state.units;
        let average = (done.filled > 0).then(|| units.average(done.notional, done.filled));
        *state.market = done.market;
        state.queues = Some(done.queues);
        let party = done.party.as_ref();
        let left = done.slot.lots != 0 || done.slot.order_count > 0;
        Ok(Self {
            market: state.name(),
            slot: state.slot,
            lots: done.lots,
            size: units.size(done.lots),
            filled_lots: done.filled,
            resting_lots: done.resting,
            dropped_lots: done
                .lots
                .saturating_sub(done.filled.saturating_add(done.resting)),
            notional_atoms: done.notional,
            average_price: average,
            fee_atoms: party.map_or(0, |party| party.fee.get()),
            realized_atoms: party.map_or(0, |party| party.realized.get()),
            margin_added_atoms: party.map_or(0, |party| party.margin_added),
            reserved_atoms: done.reserved,
            free_before_atoms: trader.free,
            free_after_atoms: done.free.get(),
            position: match left {
                true => Some(PositionView::new(&done.slot, &state)?),
                false => None,
            },
        })
    }
}

/// What an order would do that meets orders of legs, and the accounts that it lists.
#[derive(Clone, Debug, Serialize)]
pub struct LegOrderView {
    #[serde(flatten)]
    order: OrderView,
    /// Before the makers the board, which is read, and the cross queues that are written.
    listed: Vec<String>,
}

impl LegOrderView {
    /// Of an order of `trader` that lists `makers`.
    ///
    /// # Errors
    /// What the program would answer.
    pub fn new(
        state: MarketState,
        trader: (&Pubkey, &Trader),
        makers: &[(Pubkey, Trader)],
        board: &CrossBoard,
        args: &PlaceOrderArgs,
    ) -> Result<Self> {
        let keys: Vec<_> = makers.iter().map(|(key, _)| *key).collect();
        let known: BTreeMap<_, _> = makers.iter().copied().collect();
        let side = args.request().side.opposite();
        let market = (&state.keys.market, &*state.market);
        let listed = listed(&keys, side, &known, market, Some(board));
        let listed = listed.map_err(|error| anyhow!("{}: {error}", error.name()))?;
        Ok(Self {
            order: OrderView::new(state, trader, makers, Some(LegDesk::new(board)), args)?,
            listed: listed.iter().map(Pubkey::to_string).collect(),
        })
    }
}

/// What a step of a liquidation would do.
#[derive(Clone, Debug, Serialize)]
pub struct LiquidationView {
    #[serde(flatten)]
    makers: MakersView,
    victim: String,
    lots_before: i64,
    /// Lots closed, of the opposite sign.
    lots: i64,
    quote_atoms: i64,
    book_lots: i64,
    /// The liquidator's fill: lots that the book left to it, and their quote.
    liquidator_lots: i64,
    liquidator_quote_atoms: i64,
    reward_atoms: u64,
    discount_atoms: u64,
    insurance_fee_atoms: u64,
    insurance_paid_atoms: u64,
    lots_after: i64,
    margin_after_atoms: i64,
}

impl LiquidationView {
    /// Of the position of `trader`: makers that take lots, `spares` more, and a liquidator who takes over
    /// at most `take_over` lots.
    ///
    /// # Errors
    /// What the program would answer: `Healthy` and others.
    pub fn new(
        state: &MarketState,
        (address, trader): (&Pubkey, &Trader),
        take_over: u64,
        spares: usize,
    ) -> Result<Self> {
        let slot = trader.slot(&state.keys.market).ok();
        let slot =
            slot.with_context(|| format!("{address} has no position in {}", state.name()))?;
        let moment = state.priced_moment()?;
        let market = &state.market;
        let input = LiquidationInput {
            position: position_of(state, trader)?,
            mark: state.mark()?,
            params: market.params(),
            slot: moment.slot,
            distress: slot.distress(),
            insurance_available: market.deficit_cover(moment.slot).computed()?,
        };
        let book = state.book.book()?;
        let listed = liquidation_makers(&book, address, &input, take_over > 0, spares);
        let listed = listed.computed()?;
        let plan = foresee(&book, address, &input, take_over, &listed).computed()?;
        let (lots, quote) = match plan.liquidator_fill().computed()? {
            Some((lots, quote)) => (lots.get(), quote.get()),
            None => (0, 0),
        };
        Ok(Self {
            makers: MakersView::new(state, &listed),
            victim: address.to_string(),
            lots_before: input.position.lots.get(),
            lots: plan.lots.get(),
            quote_atoms: plan.quote.get(),
            book_lots: plan.book_lots.get(),
            liquidator_lots: lots,
            liquidator_quote_atoms: quote,
            reward_atoms: plan.reward_atoms,
            discount_atoms: plan.discount_atoms,
            insurance_fee_atoms: plan.insurance_fee_atoms,
            insurance_paid_atoms: plan.insurance_paid_atoms,
            lots_after: plan.position_after.lots.get(),
            margin_after_atoms: plan.position_after.margin.get(),
        })
    }
}

/// What a deposit or a withdrawal would leave.
#[derive(Clone, Debug, Serialize)]
pub struct TransferView {
    free_before_atoms: i64,
    free_after_atoms: i64,
    free_after: String,
}

impl TransferView {
    /// Of so many atoms into free collateral, or out of it where negative.
    ///
    /// # Errors
    /// `InsufficientCollateral`, `Overflow`.
    pub fn new(trader: &Trader, atoms: i64, collateral: Collateral) -> Result<Self> {
        let mut after = *trader;
        let moved = match atoms {
            0 => bail!("expected an amount that is not zero"),
            1.. => after.credit(atoms.unsigned_abs()),
            _ => after.debit(atoms.unsigned_abs()),
        };
        moved.map_err(|error| anyhow!("{}: {error}", error.name()))?;
        Ok(Self {
            free_before_atoms: trader.free,
            free_after_atoms: after.free,
            free_after: collateral.text(after.free.into()),
        })
    }
}

fn price_of(state: &MarketState) -> Result<&OraclePrice> {
    state.priced_moment()?;
    state.price.as_ref().map_err(|error| anyhow!("{error}"))
}

/// The trader's position, funding paid.
fn position_of(state: &MarketState, trader: &Trader) -> Result<Position> {
    match trader.slot(&state.keys.market).ok() {
        None => Ok(Position::default()),
        Some(slot) => {
            let stored = slot.position().map_err(anyhow::Error::from)?;
            stored.settle(state.funding_index()?).computed()
        }
    }
}
