/**
 * What the engine answers: the JSON of `ballast --output json`, where a whole number of more than 32 bits
 * is a string of its digits. Names say the unit: atoms of the quote currency, ticks, lots, basis points.
 */

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
