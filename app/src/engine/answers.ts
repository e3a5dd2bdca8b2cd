/**
 * What the engine answers: the JSON of `ballast --output json`, where a whole number of more than 32 bits
 * is a string of its digits. Names say the unit: atoms of the quote currency, ticks, lots, basis points.
 */

import type { AlertState } from './requests';

/** A whole number as a string of its digits, perhaps after a minus sign. */
export type Digits = string;

/** A stop-loss or take-profit. */
export type ClosingTrigger = {
  price_ticks: Digits;
  price: string;
  /** 0 when only the band limits the fills. */
  worst_ticks: Digits;
  lots: number;
};

/** A position, funding paid up to now. */
export type Position = {
  market_index: number;
  market: string;
  slot: Digits;
  /** `none` where there are only orders or held profit. */
  side: 'long' | 'short' | 'none';
  /** Negative for a short. */
  lots: Digits;
  size: string;
  entry_quote_atoms: Digits;
  /** On average, cut off to a hundredth of a tick; null without lots. */
  entry_price: string | null;
  mark_ticks: Digits;
  mark: string;
  mark_source: MarkSource;
  mark_age_seconds: Digits | null;
  /** What keeps the price from opening positions. */
  price_fault: string | null;
  margin_atoms: Digits;
  /** Since it was last paid, in `margin_atoms` already; negative is received. */
  funding_owed_atoms: Digits;
  notional_atoms: Digits;
  pnl_atoms: Digits;
  equity_atoms: Digits;
  maintenance_atoms: Digits;
  initial_atoms: Digits;
  leverage_hundredths: Digits | null;
  /** Equity over maintenance margin; below 10,000 it may be liquidated. */
  margin_ratio_bps: Digits | null;
  health: 'healthy' | 'below_maintenance' | 'bankrupt';
  liquidation_ticks: Digits | null;
  liquidation_price: string | null;
  bankruptcy_ticks: Digits | null;
  bankruptcy_price: string | null;
  /** 5 in the first fifth of the winners to 1 in the last, 0 of who is none. */
  light: number | null;
  queue_class: QueueClass | null;
  /** From 1. */
  queue_rank: Digits | null;
  queue_eligible: number;
  lots_ahead: Digits;
  flagged_slot: Digits;
  bankrupt_slot: Digits;
  orders: number;
  order_margin_atoms: Digits;
  held_atoms: Digits;
  stop_loss: ClosingTrigger | null;
  take_profit: ClosingTrigger | null;
};

/** A trader account with its positions. */
export type Holdings = {
  trader: string;
  owner: string;
  sub_id: number;
  delegate: string | null;
  free_atoms: Digits;
  free: string;
  markets: number;
  /** What could be withdrawn if everything closed at the mark, without fees. */
  total_atoms: Digits;
  positions: Position[];
};

/** Where the mark of an answer comes from: the price account, or the last that the market recorded. */
export type MarkSource = 'oracle' | 'last_recorded';

/** An insolvent position is not cut at this mark; another only after every winner. */
export type QueueClass = 'winner' | 'other' | 'insolvent';

/** A place in a queue. */
export type Place = {
  /** From 1. */
  rank: number;
  light: number;
  trader: string;
  class: QueueClass;
  /** In units of 2^-32; `infinite` in profit without equity. */
  score_q32: string;
  lots: Digits;
  size: string;
  notional_atoms: Digits;
  cap_left_lots: Digits;
  lots_ahead: Digits;
  notional_ahead_atoms: Digits;
};

/** A trader's place in a queue. */
export type TraderPlace = Place & {
  /** Lots before it that the passes which count may still cut. */
  cuttable_ahead_lots: Digits;
  /** The mark nearest to the present one at which it would be the first to be cut. */
  first_in_line_ticks: Digits | null;
  first_in_line_price: string | null;
};

/** A market at the mark of an answer. */
export type MarketAtMark = {
  market_index: number;
  market: string;
  slot: Digits;
  mark_ticks: Digits;
  mark: string;
};

/** Where a trader stands in its market. */
export type Standing = MarketAtMark &
  TraderPlace & {
    mark_source: MarkSource;
    mark_age_seconds: Digits | null;
    side: 'long' | 'short';
    queue_eligible: number;
  };

/** What a round does to a counterparty. */
export type Cut = {
  trader: string;
  lots_before: Digits;
  lots: Digits;
  size: string;
  quote_atoms: Digits;
  realized_atoms: Digits;
  margin_released_atoms: Digits;
  to_free_collateral_atoms: Digits;
  gave_up_atoms: Digits;
  lots_after: Digits;
};

/** A round of deleveraging as the program would play it. */
export type Round = MarketAtMark & {
  mark_age_seconds: Digits | null;
  /** What keeps the program from using the price. */
  price_fault: string | null;
  bankrupt: string;
  lots_before: Digits;
  /** The trader accounts to list, in order: those to be cut, then spares. */
  counterparties: string[];
  counterparty_side: 'long' | 'short';
  pass: number;
  new_pass: boolean;
  deficit_atoms: Digits;
  insurance_paid_atoms: Digits;
  close_quote_atoms: Digits;
  close_lots: Digits;
  closed_lots: Digits;
  gave_up_atoms: Digits;
  deficit_after_atoms: Digits;
  cuts: Cut[];
};

/** How much stands at a light. */
export type LightCount = { positions: number; lots: Digits };

/** The queue of a side. */
export type SideQueue = {
  side: 'long' | 'short';
  positions: number;
  /** At lights 0 to 5; at 0 those that are no winners at the mark. */
  lights: LightCount[];
  /** The first to be cut first. */
  places: Place[];
  trader: TraderPlace | null;
};

/** Both queues of a market. */
export type MarketQueues = MarketAtMark & {
  mark_source: MarkSource;
  mark_age_seconds: Digits | null;
  sides: SideQueue[];
};

/** What a jump of the price leaves. */
export type Gap = {
  move_bps: number;
  mark_ticks: Digits;
  mark: string;
  bankrupt_positions: number;
  deficit_atoms: Digits;
  /** What of it insurance may not pay. */
  beyond_insurance_atoms: Digits;
};

/** The gap curve of a market, from the largest fall to the largest rise. */
export type GapCurve = MarketAtMark & { insurance_available_atoms: Digits; gaps: Gap[] };

/** Trader accounts to list as makers, in order. */
export type Makers = { market: string; slot: Digits; makers: string[] };

/** What an order would do. */
export type OrderPreview = {
  market: string;
  slot: Digits;
  /** A reduce-only order is cut to the position. */
  lots: Digits;
  size: string;
  filled_lots: Digits;
  resting_lots: Digits;
  dropped_lots: Digits;
  /** What the fills cost, without fees. */
  notional_atoms: Digits;
  /** Cut off to a hundredth of a tick. */
  average_price: string | null;
  fee_atoms: Digits;
  realized_atoms: Digits;
  margin_added_atoms: Digits;
  reserved_atoms: Digits;
  free_before_atoms: Digits;
  free_after_atoms: Digits;
  /** The position afterwards, with its light. */
  position: Position | null;
};

/** What an order would do that meets orders of legs. */
export type LegOrderPreview = OrderPreview & {
  /** Its remaining accounts: the board, cross queues, makers. */
  listed: string[];
};

/** What a step of a liquidation would do. */
export type LiquidationPreview = Makers & {
  victim: string;
  lots_before: Digits;
  lots: Digits;
  quote_atoms: Digits;
  book_lots: Digits;
  liquidator_lots: Digits;
  liquidator_quote_atoms: Digits;
  reward_atoms: Digits;
  discount_atoms: Digits;
  insurance_fee_atoms: Digits;
  insurance_paid_atoms: Digits;
  lots_after: Digits;
  margin_after_atoms: Digits;
};

/** What a deposit or a withdrawal would leave. */
export type TransferPreview = {
  free_before_atoms: Digits;
  free_after_atoms: Digits;
  free_after: string;
};

/** A cut as the engine makes it again; every whole number is a string. */
export type ExplainedCut = {
  place: Digits;
  trader: string;
  class: string;
  score_q32: string;
  sequence: Digits;
  lots_before: Digits;
  entry_atoms: Digits;
  bankruptcy_atoms: string;
  lots: Digits;
  cut_before_in_pass_at_least: Digits;
  quote_atoms: Digits;
  gave_up_atoms: Digits;
  realized_atoms: Digits;
  margin_released_atoms: Digits;
  /** Of a leg 0: it went to the pool. */
  to_free_collateral_atoms: Digits;
  /** What a leg's account held; `null` of an isolated position. */
  leg: {
    equity_atoms: Digits;
    requirement_atoms: Digits;
    leg_requirement_atoms: Digits;
    /** Whether the cut was shorter than the cap for the account's sake. */
    shortened: boolean;
    pool_after_atoms: Digits;
  } | null;
};

/** A round decided again; every whole number is a string. */
export type Explanation = {
  signature: string;
  slot: Digits;
  market: string;
  market_account: string;
  bankruptcy_id: Digits;
  bankrupt: string;
  keeper: string;
  session: string | null;
  /** Whether every figure of the event is what the engine makes of it. */
  verified: boolean;
  /** How many figures were compared. */
  figures: Digits;
  disagreements: { field: string; recorded: string; recomputed: string }[];
  proven_by_the_program: {
    nobody_skipped: boolean;
    nodes_visited: Digits;
    /** Of the queue of legs; `null` where no leg could be cut. */
    cross_nodes_visited: Digits | null;
  };
  not_verifiable: string[];
  /** `null` where the engine refuses the round. */
  decision: {
    mark_atoms_per_lot: Digits;
    funding_index: Digits;
    lots_before: Digits;
    deficit_atoms: Digits;
    insurance_before_atoms: Digits;
    insurance_paid_atoms: Digits;
    close_quote_atoms: Digits;
    close_lots: Digits;
    closed_lots: Digits;
    uncovered_deficit_atoms: Digits;
    gave_up_atoms: Digits;
    pass: Digits;
    new_pass: boolean;
    rank_tolerance_bps: Digits;
    min_profit_bps: Digits;
    max_close_bps: Digits;
    counterparty_side: string;
    /** Whether records counted as they stood; `null` where no leg could be cut. */
    by_record: boolean | null;
    /** Whether accounts were cut as far as their equity lasts. */
    to_equity: boolean | null;
    cuts: ExplainedCut[];
  } | null;
};

/** When a request for shares is paid. */
export type Countdown = {
  /** 0 while it is paid; `null` without one, and when it has lapsed. */
  due_in_slots: Digits | null;
  /** Slots for which it is paid still. */
  open_for_slots: Digits | null;
  lapsed: boolean;
};

/** A market's pool and what somebody owns of it. */
export type PoolHolding = Countdown & {
  market: string;
  slot: Digits;
  /** To whoever leaves. */
  worth_low_atoms: Digits;
  /** To whoever joins. */
  worth_high_atoms: Digits;
  free_atoms: Digits;
  /** What may leave now. */
  payable_atoms: Digits;
  inventory_lots: Digits;
  stopped: boolean;
  mode: number;
  shares: Digits;
  million_shares_atoms: Digits;
  owned_shares: Digits;
  owned_atoms: Digits;
  owned: string;
  requested: Digits;
  requested_value_atoms: Digits;
};

/** What somebody has staked. */
export type StakeHolding = Countdown & {
  market: string;
  owner: string;
  slot: Digits;
  shares: Digits;
  value_atoms: Digits;
  value: string;
  staked_atoms: Digits;
  insurance_atoms: Digits;
  requested: Digits;
  payable_atoms: Digits;
  payable: string;
};

/** What a deposit into a pool or stakes would buy. */
export type JoinPreview = {
  market: string;
  slot: Digits;
  shares: Digits;
  owner_shares_after: Digits;
  /** What those are worth to whoever leaves at once. */
  value_after_atoms: Digits;
  /** All shares then. */
  shares_after: Digits;
};

/** The best price of a side of the book. */
export type BookLevel = { ticks: Digits; price: string; lots: Digits; size: string };

/** A market in a line. */
export type MarketLine = {
  index: number;
  name: string;
  market: string;
  slot: Digits;
  mode: 'active' | 'reduce_only' | 'settling' | 'settled';
  /** Unix seconds; `null` where no end is foreseen. */
  ends_at: Digits | null;
  price_ticks: Digits | null;
  price: string | null;
  price_source: MarkSource | null;
  price_age_seconds: Digits | null;
  /** What keeps the price from opening positions. */
  price_fault: string | null;
  /** Millionths an hour; longs pay when positive. */
  funding_current_ppm: number | null;
  funding_sample_ppm: number | null;
  funding_next_ppm: number | null;
  open_interest_lots: Digits;
  open_interest: string;
  best_bid: BookLevel | null;
  best_ask: BookLevel | null;
  insurance_atoms: Digits;
  insurance: string;
  insurance_available_atoms: Digits;
  adl_rounds: Digits;
  liquidations: Digits;
};

/** What a look for alerts found. */
export type AlertsFound = {
  /** For the next look. */
  raised: AlertState[];
  crossings: {
    kind: string;
    /** Into the alert, or out of it. */
    raised: boolean;
    text: string;
  }[];
};

/** A position that shares the collateral of its account. */
export type Leg = {
  market_index: number;
  market: string;
  side: 'long' | 'short';
  /** Negative for a short. */
  lots: Digits;
  size: string;
  entry_quote_atoms: Digits;
  /** The board's. */
  mark_ticks: Digits;
  mark: string;
  mark_age_slots: Digits;
  mark_frozen: boolean;
  /** Funding included. */
  unrealised_atoms: Digits;
  maintenance_atoms: Digits;
  /** Where the account's equity is 0 if only this market moves; null where no price is. */
  bankruptcy_ticks: Digits | null;
  bankruptcy_price: string | null;
  record_atoms: Digits;
  record_age_slots: Digits;
  /** Whether a witness that is believed has found the account too weak for a cut. */
  weak: boolean;
  flagged_slot: Digits;
  bankrupt_slot: Digits;
};

/** An account whose legs share collateral, at the board's marks. */
export type CrossAccount = {
  trader: string;
  slot: Digits;
  free_atoms: Digits;
  /** What the legs share, of any sign. */
  pool_atoms: Digits;
  equity_atoms: Digits;
  maintenance_atoms: Digits;
  /** Equity over maintenance margin; below 10,000 legs may be liquidated. Null without legs. */
  margin_ratio_bps: Digits | null;
  /** Equity without unrealised profit: what counts for taking collateral out. */
  opening_equity_atoms: Digits;
  initial_atoms: Digits;
  leverage_hundredths: Digits | null;
  health: 'healthy' | 'below_maintenance' | 'bankrupt';
  legs: Leg[];
};
