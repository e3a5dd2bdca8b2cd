/** A rehearsal's `report.json`, decided again by `wasm/report.wasm`. */
import type { Digits } from './answers';
import { compileEngine, EngineModule, type EngineSource } from './module';

/** What a stage of the waterfall absorbed. */
export type Stage = {
  stage: 'book' | 'liquidator' | 'pool' | 'insurance' | 'deleveraging';
  events: Digits;
  lots: Digits;
  /** At the marks. */
  notional_atoms: Digits;
  /** Part of all lots, millionths. */
  share_ppm: Digits;
  /** What the other side gained against the mark. */
  gained_atoms: Digits;
};

/** A report as the module shows it. */
export type Rehearsal = {
  scenario: {
    market: string;
    seed: Digits;
    traders: Digits;
    prices: string;
    tick_nano: Digits;
    lot_nano: Digits;
    assumptions: string[];
  };
  checks: { name: string; passed: boolean; figure: string }[];
  waterfall: Stage[];
  /** What the stages had absorbed at each price of the path, atoms at the mark, in the order of `waterfall`. */
  absorbed: Digits[][];
  path: {
    /** Unix seconds. */
    timestamp: Digits;
    price_ticks: Digits;
    insurance_atoms: Digits;
    open_interest_lots: Digits;
  }[];
  rounds: {
    round: Digits;
    timestamp: Digits;
    mark_ticks: Digits;
    bankrupt: string;
    closed_lots: Digits;
    cuts: Digits;
    gave_up_atoms: Digits;
  }[];
  verdict: {
    /** Whether every figure of the report is what the engine makes of it. */
    verified: boolean;
    figures: Digits;
    disagreements: { field: string; recorded: string; recomputed: string }[];
    not_verifiable: string[];
  };
};

/** Reads the text of a report with the module. Throws an `EngineError` for what is no report of this release. */
export async function readRehearsal(
  source: EngineSource | Promise<EngineSource>,
  report: Uint8Array,
): Promise<Rehearsal> {
  const module = new EngineModule(await compileEngine(await source));
  return module.call('rehearsal', report) as Rehearsal;
}
