//! What the IDL says of the engine's types that accounts hold whole: risk parameters, ledgers, the
//! selection of a session, and what queue and book accounts consist of. Compiled for the IDL only.
//!
//! The engine knows neither Anchor nor keys; these are its fields in its order, which
//! `crates/client/tests/interface` compares with where the engine's fields lie. Queue and book
//! accounts are a discriminator, a header and nodes to the end; no instruction declares their
//! type, so their layouts go into the IDL with that of the selection.

use std::collections::BTreeMap;

use anchor_lang::idl::types::IdlTypeDef;
use ballast_engine::{
    funding::FundingState, held::HeldProfit, insurance::InsuranceState, oracle, pool, protection,
    risk, selection, volatility, wind_down::WindDown,
};

use crate::{derives::*, Pubkey};

/// Gives a type of the engine what [`IdlBuild`] gives one of the program.
pub trait EngineLayout {
    /// The same fields, described.
    type Layout: IdlBuild;

    /// See [`IdlBuild::create_type`].
    fn create_type() -> Option<IdlTypeDef> {
        Self::Layout::create_type()
    }

    /// See [`IdlBuild::insert_types`].
    fn insert_types(types: &mut BTreeMap<String, IdlTypeDef>) {
        Self::Layout::insert_types(types);
    }

    /// See [`IdlBuild::get_full_path`].
    fn get_full_path() -> String {
        Self::Layout::get_full_path()
    }
}

macro_rules! described {
    ($($engine:path => $layout:ident),* $(,)?) => {
        $(impl EngineLayout for $engine {
            type Layout = $layout;
        })*
    };
}

described! {
    risk::RiskParams => RiskConfig,
    risk::RiskTier => RiskTier,
    risk::LadderStep => LadderStep,
    risk::AdlParams => AdlConfig,
    oracle::PriceClock => PriceClock,
    volatility::Volatility => Volatility,
    pool::PoolParams => PoolConfig,
    protection::ProtectiveStep => ProtectiveStep,
    FundingState => FundingLedger,
    InsuranceState => InsuranceLedger,
    HeldProfit => HeldLedger,
    WindDown => MarketEnd,
}

impl EngineLayout for selection::Selection {
    type Layout = Selection;

    fn insert_types(types: &mut BTreeMap<String, IdlTypeDef>) {
        Selection::insert_types(types);
        insert::<QueueHeader>(types);
        insert::<QueueEntry>(types);
        insert::<BookHeader>(types);
        insert::<Order>(types);
    }
}

fn insert<T: IdlBuild>(types: &mut BTreeMap<String, IdlTypeDef>) {
    if let Some(layout) = T::create_type() {
        types.insert(T::get_full_path(), layout);
    }
    T::insert_types(types);
}

/// Everything a market's risk authority stages. See [`risk::RiskParams`] for the ranges.
#[derive(BorshSerialize)]
#[repr(C)]
pub struct RiskConfig {
    /// Margin brackets, ascending; the first `tier_count` are in use.
    pub tiers: [RiskTier; risk::MAX_TIERS],
    /// Liquidation ladder, ratios descending; the first `ladder_count` are in use.
    pub ladder: [LadderStep; risk::MAX_LADDER_STEPS],
    /// Tiers in use, 1..=4.
    pub tier_count: u32,
    /// Ladder steps in use, 0..=4.
    pub ladder_count: u32,
    /// Least slots between two partial liquidations of one position.
    pub ladder_interval_slots: u64,
    /// Smallest position that may be left open, lots.
    pub min_position_lots: u64,
    /// Largest position that may be opened, lots.
    pub max_position_lots: u64,
    /// Largest sum of long lots.
    pub max_open_interest_lots: u64,
    /// Liquidator's discount when the position is flagged, basis points.
    pub liquidation_discount_bps: u32,
    /// Liquidator's discount at the end of the ramp, basis points.
    pub liquidation_discount_max_bps: u32,
    /// Slots from the flag to the highest discount; 0 is at once.
    pub discount_ramp_slots: u64,
    /// Insurance's part of a liquidation, basis points of the closed notional.
    pub liquidation_fee_bps: u32,
    /// What a liquidation restores above maintenance, basis points of it.
    pub liquidation_buffer_bps: u32,
    /// Farthest trade price from the mark, basis points of the mark.
    pub price_band_bps: u32,
    /// Taker's fee, basis points of the notional.
    pub taker_fee_bps: u32,
    /// Maker's fee, basis points of the notional.
    pub maker_fee_bps: i32,
    /// Part of trading fees that goes to insurance, basis points.
    pub insurance_fee_share_bps: u32,
    /// Funding paid by longs, millionths of the notional an hour; shorts pay when negative.
    pub funding_rate_ppm_per_hour: i32,
    /// Most that insurance may pay in a window, basis points; 10,000 is no cap.
    pub insurance_draw_cap_bps: u32,
    /// Length of an insurance window, slots.
    pub insurance_window_slots: u64,
    /// Oldest usable price, seconds: for funding, and for a position flagged in an earlier slot at
    /// an earlier price.
    pub oracle_max_age_seconds: u64,
    /// Widest usable confidence, basis points of the price.
    pub oracle_max_conf_bps: u32,
    /// Farthest price from its moving average that is not held up, basis points of the average.
    pub oracle_max_ema_divergence_bps: u32,
    /// Auto-deleveraging.
    pub adl: AdlConfig,
    /// Notional to which both sides of the book are averaged for the funding premium, atoms;
    /// 0: funding is the base rate alone, whatever the book.
    pub impact_notional_atoms: u64,
    /// Paid to whoever removes a maker order that cannot be filled (by its maker) or executes a
    /// trigger (by its trader), atoms.
    pub keeper_fee_atoms: u64,
    /// Highest absolute funding rate, base and premium together, millionths an hour; unused
    /// while `impact_notional_atoms` is 0.
    pub max_funding_rate_ppm: u32,
    /// Most that a liquidator earns on lots the book takes, basis points of their notional, out
    /// of what the book pays above the liquidator's own price.
    pub book_reward_bps: u32,
    /// Oldest price for everything else but reducing, seconds; 0 is 10.
    pub price_age_seconds: u32,
    /// How long prices have to be far from their average before they serve for everything, seconds;
    /// 0 is 30.
    pub divergence_grace_seconds: u32,
    /// Fees that are never paid out, atoms; 0 is a hundred rewards of deleveraging.
    pub fee_reserve_atoms: u64,
    /// Least worth of an order that opens and waits in the book, atoms; 0 is the default, 100 units
    /// of the quote currency.
    pub min_order_atoms: u64,
    /// Seconds without a price after which anybody may declare the oracle dead; 0 is a day.
    pub oracle_dead_seconds: u64,
    /// Insurance that has paid all that its cap allows pays again when what it paid lately is no more
    /// than this, basis points; 0: with whatever the cap leaves.
    pub insurance_resume_bps: u32,
    /// Part of what insurance earns that goes to the stakes, basis points.
    pub stake_income_bps: u32,
    /// Insurance, the stakes included, is not unstaked below this, atoms.
    pub stake_floor_atoms: u64,
    /// Equity over maintenance margin, basis points, at and below which the liquidator's discount is
    /// the last one at once; 0: it grows with time alone.
    pub discount_full_ratio_bps: u16,
    /// Most that volatility multiplies initial margin by, basis points; 0: it is not multiplied.
    pub margin_multiplier_max_bps: u16,
    /// Open interest above which initial margin rises, basis points of the largest.
    pub open_interest_lower_bps: u16,
    /// Open interest at which initial margin is the whole notional, basis points of the largest; 0: it
    /// does not rise.
    pub open_interest_upper_bps: u16,
}

/// A bracket of notional. See [`risk::RiskTier`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct RiskTier {
    /// Upper end of the bracket, atoms.
    pub notional_limit_atoms: u64,
    /// Initial margin of the bracket, basis points.
    pub initial_margin_bps: u32,
    /// Maintenance margin of the bracket, basis points.
    pub maintenance_margin_bps: u32,
}

/// A step of the liquidation ladder. See [`risk::LadderStep`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct LadderStep {
    /// The step applies while equity / maintenance is above this, basis points.
    pub above_ratio_bps: u32,
    /// Largest part of the position one liquidation may close, basis points.
    pub close_bps: u32,
}

/// Parameters of auto-deleveraging. See [`risk::AdlParams`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct AdlConfig {
    /// How much more a position left out may score than the last one cut, basis points.
    pub rank_tolerance_bps: u32,
    /// Largest part of a counterparty that one pass may close, basis points.
    pub max_close_bps: u32,
    /// Least profit at the mark, basis points of the entry, to rank as a winner.
    pub min_profit_bps: u32,
    /// Always zero; aligns what follows.
    pub _pad: u32,
    /// Slots after a bankruptcy flag from which insurance no longer delays ADL.
    pub grace_slots: u64,
    /// Reward of a round, atoms, from the market's fees.
    pub reward_atoms: u64,
}

/// What a market remembers of prices beside the newest one. See [`oracle::PriceClock`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct PriceClock {
    /// The last price that was recorded in an earlier slot than the newest one and published
    /// earlier, ticks; 0 when there is none.
    pub earlier_ticks: u64,
    /// Slot in which a price published when the newest one was, was recorded first.
    pub recorded_slot: u64,
    /// For how long recorded prices have been far from their average, seconds.
    pub diverged_for: u32,
    /// Zero; room for later versions.
    pub _pad: u32,
    /// Zero; room for later versions.
    pub reserved: u64,
}

/// How much of late prices move more than usual. See [`volatility::Volatility`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct Volatility {
    /// Average of squared moves over about a day, squared millionths a second, 16 bits behind the point.
    pub fast: u64,
    /// The same over about three months.
    pub slow: u64,
    /// The last price that counted, ticks; 0 before the first.
    pub counted_ticks: u32,
    /// What initial margin is multiplied by, millionths, at least 1,000,000; 0 before the first price.
    pub multiplier_ppm: u32,
    /// When that price was published, unix seconds.
    pub counted_at: u32,
    /// When the first was, unix seconds.
    pub since: u32,
}

/// What a pool does and does not do. See [`pool::PoolParams`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct PoolConfig {
    /// Number of the mode, see [`PoolMode`].
    pub mode: u32,
    /// Largest notional of the position, basis points of the pool's worth, `100..=10,000`.
    pub cap_bps: u32,
    /// Equity that the position is given, basis points of its notional, `1,000..=20,000`.
    pub margin_bps: u32,
    /// Least discount at which the pool takes lots that enlarge its position, basis points of their
    /// notional.
    pub reserve_first_bps: u32,
    /// Discount from which it takes up to its cap, basis points; at least the first, at most the market's
    /// last discount.
    pub reserve_last_bps: u32,
    /// Most notional that it takes in a window, basis points of its worth, `100..=100,000`.
    pub take_cap_bps: u32,
    /// Fall of a share's worth, basis points, from which on it takes nothing that enlarges its position,
    /// `100..=10,000`.
    pub drawdown_bps: u32,
    /// What insurance pays it for lots that it takes at the mark, basis points of their notional; at most
    /// the taker's fee.
    pub premium_bps: u32,
    /// Price beyond the mark at which an unwind begins, basis points, `0..=500`.
    pub ask_bps: u32,
    /// Price short of the mark at which it ends, basis points; with `keeper_bps` at most
    /// `reserve_first_bps`.
    pub slip_bps: u32,
    /// Largest part of the position that one unwind closes, basis points, `100..=10,000`.
    pub unwind_bps: u32,
    /// What a withdrawal is charged of the position's notional, basis points, `0..=500`.
    pub exit_bps: u32,
    /// What a keeper gets of the notional that an unwind closes, basis points, `0..=50`.
    pub keeper_bps: u32,
    /// Zero.
    pub _pad: u32,
    /// Length of the window of `take_cap_bps`, slots, `150..=1,512,000`.
    pub window_slots: u64,
    /// Slots in which the price of an unwind falls from its first to its last, `10..=9,000`.
    pub auction_slots: u64,
    /// Least slots between two unwinds, `1..=9,000`.
    pub unwind_interval_slots: u64,
    /// Slots from a request to the first in which it is paid, `9,000..=6,048,000`.
    pub withdraw_delay_slots: u64,
    /// Slots in which it is paid, `9,000..=1,512,000`.
    pub withdraw_window_slots: u64,
}

/// Below a margin ratio, which part of a position stays open. See [`protection::ProtectiveStep`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct ProtectiveStep {
    /// Equity over maintenance margin below which the step applies, basis points, `10,001..=1,000,000`.
    pub ratio_bps: u32,
    /// What stays open of the lots that the position had when its steps were set, basis points below
    /// 10,000; 0 closes it.
    pub keep_bps: u32,
}

/// Cumulative funding. See [`FundingState`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct FundingLedger {
    /// Cumulative funding, whole atoms per lot; longs pay when it rises.
    pub index: i64,
    /// Part of an atom not yet in the index.
    pub carry: u64,
    /// Unix second up to which funding has accrued.
    pub last_timestamp: i64,
    /// Samples of the hour of `last_timestamp` up to it, each times its seconds, ppm seconds.
    pub rate_sum: i64,
    /// Rate of the hour of `last_timestamp`, ppm an hour; longs pay when positive.
    pub rate_ppm: i32,
    /// Average price of the impact notional sold into the bids, atoms per lot; 0 when they are
    /// not that deep.
    pub impact_bid: u32,
    /// Average price of the impact notional bought from the asks, as `impact_bid`.
    pub impact_ask: u32,
    /// 1 when trading was paused at `last_timestamp`, else 0.
    pub paused: u32,
}

/// The profit that the market holds. See [`HeldProfit`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct HeldLedger {
    /// What is held in all, atoms.
    pub atoms: u64,
    /// Shares of it.
    pub shares: u64,
    /// Ledgers that ended before this one.
    pub epoch: u32,
    /// Zero.
    pub _pad: u32,
}

/// The end of a market. See [`WindDown`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct MarketEnd {
    /// When the market ends or ended, unix seconds; 0 when it does not.
    pub ends_at: i64,
    /// Sum over the prices of the last hour: ticks times the seconds for which each counts.
    pub price_seconds: u64,
    /// Those seconds.
    pub covered_seconds: u32,
    /// Why it ends: 1 delisted, 2 dead oracle; 0 when it does not.
    pub cause: u32,
    /// Lots of the positions settled so far, signed.
    pub settled_lots: i64,
    /// Held profit paid out since the market ended, atoms; where something was written off, what
    /// claims were paid.
    pub held_paid: u64,
    /// Shares of it; where something was written off, those claims, atoms.
    pub held_shares_paid: u64,
}

/// What the market's insurance holds and has paid lately. See [`InsuranceState`].
#[derive(BorshSerialize)]
#[repr(C)]
pub struct InsuranceLedger {
    /// What insurance owns, the stakes included, atoms.
    pub balance: u64,
    /// Number of the newest bucket: its first slot over a third of the window, rounded up.
    pub bucket: u64,
    /// Paid in the newest bucket and in the one before it, atoms.
    pub drawn: [u64; 2],
}

/// The highest ranked positions met so far, best first.
#[zero_copy]
pub struct Selection {
    /// Lots to find counterparties for.
    pub wanted: u64,
    /// Lots that the members may be cut of in total.
    pub found: u64,
    /// Nodes looked at.
    pub visited: u64,
    /// Members in use, 0 to 16.
    pub len: u32,
    /// Always zero; aligns what follows.
    pub _pad: u32,
    /// The first `len` are in use.
    pub members: [Member; selection::MAX_SELECTED],
}

/// One position of a selection, as it was when selected.
#[zero_copy]
pub struct Member {
    /// What the lots were worth at entry, atoms.
    pub entry: u64,
    /// What they are worth when the equity is zero, less `lots` times the funding index, atoms.
    pub bankruptcy: i64,
    /// Order of joining the queue.
    pub sequence: u64,
    /// Lots when it was selected, positive.
    pub lots: u32,
    /// Node in the queue.
    pub node: u32,
    /// Lots that may be cut before the cap.
    pub cap_left: u32,
    /// Always zero; aligns what follows.
    pub _pad: u32,
}

/// State of a tree beside its nodes; 4294967295 is no node.
#[zero_copy]
pub struct TreeHeader {
    /// Node at the root; 4294967295 while the tree is empty.
    pub root: u32,
    /// First node of the free list.
    pub free_head: u32,
    /// Nodes from this one on have never been used.
    pub high_water: u32,
    /// Nodes in the tree.
    pub len: u32,
}

/// Links of one node of a tree; 4294967295 is no node.
#[zero_copy]
pub struct Links {
    /// Child with smaller keys; next free node when not in the tree.
    pub left: u32,
    /// Child with larger keys.
    pub right: u32,
}

/// What follows the discriminator of a queue account. Nodes follow to the end of the account.
#[zero_copy]
pub struct QueueHeader {
    /// The market.
    pub market: Pubkey,
    /// 0: long positions; 1: short positions.
    pub side: u32,
    /// Layout version.
    pub version: u32,
    /// The tree of the positions.
    pub tree: TreeHeader,
    /// Sequence number of the next position to join.
    pub next_sequence: u64,
    /// Number of deleveraging passes opened over this queue.
    pub adl_epoch: u32,
    /// Always zero; aligns what follows.
    pub _pad: u32,
    /// The selection under way, if any.
    pub watch: Watch,
    /// Slot in which the current pass was opened.
    pub pass_opened_slot: u64,
    /// Zero; room for later versions.
    pub reserved: [u8; 40],
}

/// What a queue keeps of a selection under way: the frozen round, its last member and how far it
/// has looked. All zero when there is none.
#[zero_copy]
pub struct Watch {
    /// The session.
    pub session: Pubkey,
    /// Oracle price, atoms per lot.
    pub mark: u64,
    /// Close price: this many atoms
    pub close_quote: i64,
    /// for this many lots.
    pub close_lots: u64,
    /// Funding index, atoms per lot.
    pub funding_index: i64,
    /// Least profit of a winner, basis points.
    pub min_profit_bps: u32,
    /// Cap of a pass, basis points.
    pub max_close_bps: u32,
    /// First pass that counts towards caps.
    pub epoch: u32,
    /// 0: none; 1: it takes everybody eligible so far; 2: those who rank above the last member.
    pub state: u32,
    /// The last member: its entry, atoms.
    pub last_entry: u64,
    /// Its bankruptcy quote less funding, atoms.
    pub last_bankruptcy: i64,
    /// Its order of joining.
    pub last_sequence: u64,
    /// Its lots; 0 when there is no last member.
    pub last_lots: u32,
    /// Smallest position that a cut may leave open, lots.
    pub least_lots: u32,
    /// Positions that joined with this sequence number or later stand outside.
    pub sequence_limit: u64,
    /// Key up to which the walk has looked: entry price, 2^-32 atoms per lot,
    pub cursor_entry_q32: u64,
    /// and order of joining.
    pub cursor_sequence: u64,
}

/// A node of a queue: a position, or free when its height is 0.
#[zero_copy]
pub struct QueueEntry {
    /// Its place in the tree.
    pub links: Links,
    /// Height of its subtree; 0: free.
    pub height: u8,
    /// 0: a long position; 1: a short one.
    pub side: u8,
    /// 1 while a selection under way includes the position.
    pub selected: u16,
    /// Lots of the position, positive on either side.
    pub lots: u32,
    /// Entry price, 2^-32 atoms per lot, rounded down.
    pub entry_q32: u64,
    /// Bankruptcy price less the funding index, 2^-32 atoms per lot, rounded down, of any sign.
    pub bankruptcy_q32: i64,
    /// Least `entry_q32` of the subtree for longs, greatest for shorts.
    pub best_entry_q32: u64,
    /// Greatest `bankruptcy_q32` of the subtree for longs, least for shorts.
    pub best_bankruptcy_q32: i64,
    /// Order of joining: the smaller is the older.
    pub sequence: u64,
    /// Pass of the last cut; 0 never.
    pub cut_epoch: u32,
    /// Lots cut since that pass began.
    pub cut_lots: u32,
    /// Pass of the cut that reached the cap; 0 never.
    pub capped_epoch: u32,
    /// Least `capped_epoch` of the subtree.
    pub least_capped_epoch: u32,
    /// The trader account.
    pub trader: Pubkey,
}

/// What follows the discriminator of a book account. Nodes follow, the first half for bids, the
/// second for asks.
#[zero_copy]
pub struct BookHeader {
    /// The market.
    pub market: Pubkey,
    /// Layout version.
    pub version: u32,
    /// Always zero; aligns what follows.
    pub _pad: u32,
    /// Id of the next order.
    pub next_sequence: u64,
    /// Tree of the bids.
    pub bids: TreeHeader,
    /// Tree of the asks.
    pub asks: TreeHeader,
    /// Height up to which a migration has summed up the nodes; 0 when none is under way.
    pub migrated_height: u32,
    /// Nodes that it has looked at for the next height.
    pub migrated_nodes: u32,
    /// Zero; room for later versions.
    pub reserved: [u8; 40],
}

/// A node of a book: an order, or free when its height is 0.
#[zero_copy]
pub struct Order {
    /// Its place in the tree of its side.
    pub links: Links,
    /// The trader's next older order in the market; 4294967295 when there is none.
    pub owner_next: u32,
    /// The trader's next newer order in the market; 4294967295 when there is none.
    pub owner_previous: u32,
    /// Id: the order of joining the book, from 1.
    pub sequence: u64,
    /// The trader's own number for it; 0 none.
    pub client_id: u64,
    /// Collateral it still reserves, atoms.
    pub margin: u64,
    /// When it expires, unix seconds; 0 never.
    pub expires_at: i64,
    /// Lots of the orders that open among the node and those below it.
    pub subtree_lots: u64,
    /// What these lots are worth at their prices, atoms.
    pub subtree_quote: u64,
    /// Lots left.
    pub lots: u32,
    /// Price, atoms per lot.
    pub price: u32,
    /// Height of its subtree; 0: free.
    pub height: u8,
    /// 0: bid; 1: ask.
    pub side: u8,
    /// 1: reduce-only.
    pub flags: u8,
    /// Always zero; aligns what follows.
    pub _pad: u8,
    /// Of these orders the soonest expiry, unix seconds, as its complement (4294967295 less it); 0
    /// when none expires.
    pub subtree_haste: u32,
    /// The trader account.
    pub trader: Pubkey,
}
