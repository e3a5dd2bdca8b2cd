/** The chosen nodes: the first that answers is asked, and the page is told which. */
import {
  createDefaultRpcTransport,
  createSolanaRpcFromTransport,
  createSolanaRpcSubscriptions,
  isSolanaError,
  SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR,
  type Rpc,
  type RpcSubscriptions,
  type RpcTransport,
  type SolanaRpcApi,
  type SolanaRpcSubscriptionsApi,
} from '@solana/kit';

import type { SolanaNode } from '../settings';

/** How long a node may take for an answer, milliseconds. */
const PATIENCE_MS = 10_000;
/** For how long a node that failed is asked last, milliseconds. */
const REST_MS = 30_000;

/** Which nodes fail. */
export type NodeState = {
  /** Number of the node that answered last. */
  readonly using: number;
  /** What each of those that failed said, by number. */
  readonly failures: ReadonlyMap<number, string>;
};

/** All nodes. */
export class Nodes {
  readonly rpc: Rpc<SolanaRpcApi>;
  #state: NodeState = { using: 0, failures: new Map() };
  readonly #failedAt = new Map<number, number>();
  readonly #transports: RpcTransport[];
  readonly #listeners = new Set<() => void>();
  readonly #subscriptions = new Map<number, RpcSubscriptions<SolanaRpcSubscriptionsApi>>();

  constructor(readonly nodes: readonly SolanaNode[]) {
    this.#transports = nodes.map(({ rpc }) => createDefaultRpcTransport({ url: rpc }));
    const transport: RpcTransport = (request) => this.#ask(request);
    this.rpc = createSolanaRpcFromTransport(transport) as Rpc<SolanaRpcApi>;
  }

  /** Announcements of the node that answered last. */
  get subscriptions(): RpcSubscriptions<SolanaRpcSubscriptionsApi> {
    const { using } = this.#state;
    let found = this.#subscriptions.get(using);
    if (found === undefined) {
      found = createSolanaRpcSubscriptions(this.nodes[using]?.ws ?? '');
      this.#subscriptions.set(using, found);
    }
    return found;
  }

  readonly state = (): NodeState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #ask<T>(request: Parameters<RpcTransport>[0]): Promise<T> {
    const problems: string[] = [];
    for (const index of this.#order()) {
      try {
        const answer = await this.#askOne<T>(index, request);
        this.#failedAt.delete(index);
        this.#tell(index);
        return answer;
      } catch (problem) {
        if (request.signal?.aborted === true) {
          throw problem;
        }
        this.#failedAt.set(index, Date.now());
        const sentence = `${new URL(this.nodes[index]?.rpc ?? '').host} ${reason(problem)}`;
        problems.push(sentence);
        this.#tell(this.#state.using, [index, sentence]);
      }
    }
    throw new Error(
      `no node answers: ${problems.join('; ')}. Check your connection, or choose another in Settings`,
    );
  }

  async #askOne<T>(index: number, request: Parameters<RpcTransport>[0]): Promise<T> {
    const transport = this.#transports[index];
    if (transport === undefined) {
      throw new Error('there is no such node');
    }
    const limits = [AbortSignal.timeout(PATIENCE_MS), ...(request.signal ? [request.signal] : [])];
    return transport<T>({ ...request, signal: AbortSignal.any(limits) }) as Promise<T>;
  }

  /** In the order chosen, but those that have failed lately last. */
  #order(): number[] {
    const now = Date.now();
    const rests = (index: number) => now - (this.#failedAt.get(index) ?? -Infinity) < REST_MS;
    const all = [...this.nodes.keys()];
    return [...all.filter((index) => !rests(index)), ...all.filter(rests)];
  }

  #tell(using: number, failed?: [number, string]): void {
    const failures = new Map(this.#state.failures);
    if (failed === undefined) {
      failures.delete(using);
    } else {
      failures.set(...failed);
    }
    const same = failed === undefined && failures.size === this.#state.failures.size;
    if (same && using === this.#state.using) {
      return;
    }
    this.#state = { using, failures };
    this.#listeners.forEach((listener) => listener());
  }
}

function reason(problem: unknown): string {
  if (isSolanaError(problem, SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR)) {
    return `answers with status ${problem.context.statusCode}`;
  }
  const late = problem instanceof Error && problem.name === 'TimeoutError';
  return late ? `has not answered for ${PATIENCE_MS / 1_000} seconds` : 'cannot be reached';
}
