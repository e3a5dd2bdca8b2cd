/**
 * A gateway: history beyond what a node keeps, and candles. It is a convenience and nobody's authority: what it
 * says of a round of deleveraging is held against the user's own node, and without it the page does without.
 */

/** How long it may take for an answer, milliseconds. */
const PATIENCE_MS = 10_000;

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
        ...request,
        signal: AbortSignal.timeout(PATIENCE_MS),
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
