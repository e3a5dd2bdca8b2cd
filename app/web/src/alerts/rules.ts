/** What the user wants to be told of. Kept in this browser. */

/** Thresholds, as the engine takes them. */
export type Rules = {
  readonly on: boolean;
  /** From this light on, 1 to 5. */
  readonly lightAt: number;
  /** Below this margin ratio, basis points of maintenance. */
  readonly ratioBelowBps: number;
  /** Where a position pays more funding than this, millionths of its worth an hour; null for none. */
  readonly fundingAbovePpm: number | null;
};

const KEY = 'ballast.alerts';
export const DEFAULTS: Rules = {
  on: false,
  lightAt: 4,
  ratioBelowBps: 15_000,
  fundingAbovePpm: 0,
};

export function loadRules(): Rules {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Rules>) };
  } catch {
    return DEFAULTS;
  }
}

export function saveRules(rules: Rules): void {
  localStorage.setItem(KEY, JSON.stringify(rules));
}
