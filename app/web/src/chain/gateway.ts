/**
 * A gateway: history beyond what a node keeps, candles, forecasts, places in large queues. It is a convenience and nobody's authority: what it
 * says of a round of deleveraging is held against the user's own node, and without it the page does without.
 */

import type { Standing } from 'ballast-client';

/** How long it may take for an answer, milliseconds. */
const PATIENCE_MS = 10_000;
/** How long a forecast may take: a gateway gives up before. */
const FORECAST_MS = 30_000;

/** A whole number, as digits where it has 64 bits. */
type Whole = number | string;

/** A line of history, as the gateway states it; see docs/GATEWAY.md. */
export type HistoryRow = {
  readonly signature: string;
  readonly slot: Whole;
  /** Of the event among those of its transaction. */
  readonly index: Whole;
  readonly sub: Whole;
  readonly time: Whole | null;
  readonly final: boolean;
  readonly kind: string;
  readonly event: string;
  readonly market: string | null;
  readonly market_index: Whole | null;
  readonly trader: string | null;
  readonly other: string | null;
  readonly side: string | null;
  readonly lots: Whole | null;
  readonly size: string | null;
  readonly price: string | null;
  readonly fee: string | null;
  readonly amount: string | null;
  readonly detail: string | null;
};

/** A page of history, the newest line first. */
export type HistoryPage = {
  readonly rows: readonly HistoryRow[];
  /** `before` of the next page; null at the end. */
  readonly next: string | null;
  /** Whether the gateway knows that nothing is missing. */
  readonly complete: boolean;
};

/** Prices of fills in an interval. */
export type Candle = {
  /** Unix seconds. */
  readonly time: Whole;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
};

/** A probability, millionths. */
export type Chance = {
  readonly ppm: number;
  /** Whether it is only known to be below that. */
  readonly below: boolean;
  /** The ends of the interval that holds it in 95 of 100 cases. */
  readonly low_ppm: number;
  readonly high_ppm: number;
};

/** Something that halves the probability of being cut. */
export type Fix =
  | { readonly change: 'add_margin'; readonly atoms: Whole; readonly cut: Chance }
  | { readonly change: 'close'; readonly lots: Whole; readonly cut: Chance };

/** How likely positions are to be cut, as the gateway has played their market on; see docs/RISK.md. */
export type RiskForecast = {
  readonly slot: Whole;
  readonly mark: string;
  readonly made: { readonly source: string; readonly paths: Whole; readonly seconds: Whole };
  readonly positions: readonly {
    readonly trader: string;
    readonly cut: Chance;
    /** By a cut. */
    readonly closed: Chance;
    readonly expected_gave_up_atoms: Whole;
    /** Of the profit now; null without profit. */
    readonly expected_gave_up_bps: Whole | null;
    /** What halves the probability, where it was asked for and something does. */
    readonly fixes?: readonly Fix[];
  }[];
};

/** A parameter of a market that an event made or changed. */
export type ParameterChange = {
  readonly time: Whole | null;
  readonly cursor: string;
  readonly event: string;
  readonly name: string;
  /** Null where the event made it. */
  readonly before: string | null;
  readonly after: string;
};

/** A page of them, the newest first. */
export type ParameterPage = {
  readonly rows: readonly ParameterChange[];
  /** `before` of the next page; null at the end. */
  readonly next: string | null;
  /** Whether the gateway knows that nothing is missing. */
  readonly complete: boolean;
};

/** The gateway that the page was told of. */
export class Gateway {
  #problem: string | undefined;
  readonly #listeners = new Set<() => void>();

  /** `url` ends with a slash. */
  constructor(readonly url: string) {}

  /** What keeps it from answering; undefined while it does. */
  readonly problem = (): string | undefined => this.#problem;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether it answers at all; it may say of itself that history has holes. */
  async look(): Promise<null> {
    await this.#fetch('health');
    return null;
  }

  /** Lines that name a trader account. */
  async history(trader: string, before: string | undefined): Promise<HistoryPage> {
    const page = before === undefined ? '' : `&before=${encodeURIComponent(before)}`;
    return this.#get(`v1/traders/${encodeURIComponent(trader)}/history?limit=50${page}`);
  }

  /** Where all lines that name a trader account are, as comma-separated values. */
  historyFile(trader: string): string {
    return `${this.url}v1/traders/${encodeURIComponent(trader)}/history.csv`;
  }

  /** The newest candles of a market, the oldest first. */
  async candles(market: number, seconds: number, limit: number): Promise<readonly Candle[]> {
    const now = Math.floor(Date.now() / 1_000);
    const since = now - seconds * limit;
    return this.#get(
      `v1/markets/${market}/candles?seconds=${seconds}&since=${since}&limit=${limit}`,
    );
  }

  /** How the parameters of a market became what they are. */
  async parameters(market: number): Promise<ParameterPage> {
    return this.#get(`v1/markets/${market}/parameters?limit=200`);
  }

  /** Where the position of a trader account stands in its queue, as the gateway has ranked it. */
  async place(market: number, trader: string): Promise<Standing> {
    return this.#get(`v1/markets/${market}/queue/${encodeURIComponent(trader)}`);
  }

  /** How likely the position of a trader account is to be cut, and, where it is asked for, what would halve that. */
  async risk(market: number, trader: string, fixes: boolean): Promise<RiskForecast> {
    const path = `v1/markets/${market}/risk?trader=${encodeURIComponent(trader)}&fixes=${fixes}`;
    return this.#get(path, { signal: AbortSignal.timeout(FORECAST_MS) });
  }

  /** What browsers subscribe Web Push with; null where this gateway pushes nothing. */
  async pushKey(): Promise<string | null> {
    const answer = await this.#fetch('v1/push-key');
    return answer.ok ? ((await answer.json()) as { readonly key: string }).key : null;
  }

  /** A text that a wallet signs to prove a trader account. */
  async challenge(wallet: string, trader: string): Promise<{ nonce: string; text: string }> {
    return this.#post('v1/sessions/challenge', { wallet, trader });
  }

  /** A token for the alerts of the trader account whose text was signed. */
  async signIn(nonce: string, signature: string): Promise<string> {
    const { token } = await this.#post<{ token: string }>('v1/sessions', { nonce, signature });
    return token;
  }

  /** Subscribes alerts of the account that a token is of. */
  async subscribeAlerts(token: string, terms: object): Promise<void> {
    await this.#post('v1/alerts', terms, token);
  }

  /** Ends all that a browser has subscribed. */
  async endPush(target: object): Promise<void> {
    const answer = await this.#fetch('v1/push/end', {
      method: 'POST',
      body: JSON.stringify(target),
    });
    if (!answer.ok) {
      throw new Error(`the gateway refuses: ${answer.status}`);
    }
  }

  async #post<T>(path: string, body: object, token?: string): Promise<T> {
    return this.#get(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  }

  async #get<T>(path: string, request?: RequestInit): Promise<T> {
    const answer = await this.#fetch(path, request);
    const value = (await answer.json()) as T & { readonly error?: string };
    if (!answer.ok) {
      throw new Error(`the gateway refuses: ${value.error ?? answer.status}`);
    }
    return value;
  }

  async #fetch(path: string, request: RequestInit = {}): Promise<Response> {
    try {
      const answer = await fetch(`${this.url}${path}`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...request,
      });
      this.#tell(undefined);
      return answer;
    } catch {
      this.#tell(`The gateway ${new URL(this.url).host} does not answer`);
      throw new Error('the gateway does not answer');
    }
  }

  #tell(problem: string | undefined): void {
    if (problem !== this.#problem) {
      this.#problem = problem;
      this.#listeners.forEach((listener) => listener());
    }
  }
}
