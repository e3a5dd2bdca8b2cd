/** What the page knows of the chain, read again and again, with the age of all of it. */
import { type Address } from '@solana/kit';
import {
  queryOptions,
  useQueries,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { createContext, useContext, useEffect, useSyncExternalStore } from 'react';
import type { IdentifierString } from '@wallet-standard/base';

import {
  readBoard,
  readMarket,
  readTraders,
  readVenue,
  type Board,
  type MarketKeys,
  type MarketState,
  type TraderState,
  type Venue,
} from './chain/accounts';
import type { Gateway } from './chain/gateway';
import type { Nodes, NodeState } from './chain/nodes';
import type { Settings, Site } from './settings';

/** Chosen nodes and settings, and where the page comes from. */
export type Setup = {
  readonly nodes: Nodes;
  readonly settings: Settings;
  readonly site: Site;
  /** The gateway that the site names. */
  readonly gateway: Gateway | undefined;
};

const Context = createContext<Setup | undefined>(undefined);
export const SetupProvider = Context.Provider;

export function useSetup(): Setup {
  const setup = useContext(Context);
  if (setup === undefined) {
    throw new Error('useSetup is used outside SetupProvider');
  }
  return setup;
}

/** How often a gateway that does not answer is asked again, milliseconds. */
const GATEWAY_EVERY_MS = 10_000;
/** How often a market is read again besides its announcements, milliseconds. */
const READ_EVERY_MS = 3_000;
/** How long announcements are gathered before their accounts are read, milliseconds. */
const ANNOUNCED_EVERY_MS = 500;
/** Bytes of queues beyond which a market is read on request only: 2,000 positions a side. */
const LARGE_BYTES = 2 * 2_000 * 104;
/** How often markets are looked for, milliseconds. */
const VENUE_EVERY_MS = 60_000;

/** Which node answers. */
export function useNodeState(): NodeState {
  const { nodes } = useSetup();
  return useSyncExternalStore(nodes.subscribe, nodes.state);
}

/** What keeps the gateway from answering; it is looked for again and again. */
export function useGatewayProblem(): string | undefined {
  const { gateway } = useSetup();
  useQuery({
    queryKey: ['gateway'],
    queryFn: () => gateway?.look() ?? null,
    enabled: gateway !== undefined,
    refetchInterval: GATEWAY_EVERY_MS,
    retry: false,
  });
  return useSyncExternalStore(gateway?.subscribe ?? ALONE, gateway?.problem ?? (() => undefined));
}

const ALONE = () => () => undefined;

/** The gateway while it answers. */
export function useGateway(): Gateway | undefined {
  const { gateway } = useSetup();
  const problem = useGatewayProblem();
  return problem === undefined ? gateway : undefined;
}

export function useVenue(): UseQueryResult<Venue> {
  const { nodes } = useSetup();
  return useQuery({
    queryKey: ['venue'],
    queryFn: () => readVenue(nodes.rpc),
    refetchInterval: VENUE_EVERY_MS,
  });
}

/** The wallet standard's name of the nodes' cluster. */
export function useChain(): IdentifierString {
  const { nodes } = useSetup();
  const { data } = useQuery({
    queryKey: ['genesis'],
    queryFn: () => nodes.rpc.getGenesisHash().send(),
    staleTime: Infinity,
  });
  return CLUSTERS[data ?? ''] ?? 'solana:localnet';
}

const CLUSTERS: { readonly [genesis: string]: IdentifierString } = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d': 'solana:mainnet',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: 'solana:devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHScSGQchAEYCFNWqSjcP': 'solana:testnet',
};

/** A market at one slot, again with every announcement of its accounts. */
export function useMarket(venue: Venue, keys: MarketKeys): UseQueryResult<MarketState> {
  const { nodes } = useSetup();
  const result = useQuery(marketQuery(nodes, venue, keys));
  const followed = isLarge(result.data) ? [] : [keys.address, keys.price];
  useAnnouncements(followed, marketKey(keys));
  return result;
}

/** Several markets, each at a slot of its own, and when they were read; undefined until all are there. */
export function useMarkets(venue: Venue, all: readonly MarketKeys[]) {
  const { nodes } = useSetup();
  return useQueries({
    queries: all.map((keys) => marketQuery(nodes, venue, keys)),
    combine: (results) => ({
      error: results.find((one) => one.error !== null)?.error,
      readAt: results.map((one) => one.dataUpdatedAt).join(),
      states: results.every((one) => one.data !== undefined)
        ? results.map((one) => one.data).filter((one): one is MarketState => one !== undefined)
        : undefined,
    }),
  });
}

function marketKey({ address }: MarketKeys): string[] {
  return ['market', address];
}

function marketQuery({ rpc }: Nodes, venue: Venue, keys: MarketKeys) {
  return queryOptions({
    queryKey: marketKey(keys),
    queryFn: () => readMarket(rpc, venue, keys),
    refetchInterval: ({ state }) => (isLarge(state.data) ? false : READ_EVERY_MS),
  });
}

/** Whether a market's queues are so large that they are read on request only. */
export function isLarge(state: MarketState | undefined): boolean {
  const queues = state === undefined ? [] : [state.accounts.queueLong, state.accounts.queueShort];
  const bytes = queues.reduce((sum, queue) => sum + ('data' in queue ? queue.data.length : 0), 0);
  return bytes > LARGE_BYTES;
}

/** The trader accounts of an owner. */
export function useTraders(owner: Address | undefined): UseQueryResult<TraderState[]> {
  const { nodes } = useSetup();
  const queryKey = ['traders', owner];
  const result = useQuery({
    queryKey,
    queryFn: () => (owner === undefined ? [] : readTraders(nodes.rpc, owner)),
    enabled: owner !== undefined,
    refetchInterval: READ_EVERY_MS,
  });
  useAnnouncements(result.data?.map(({ account }) => account.address) ?? [], queryKey);
  return result;
}

/** The board of cross margin, and the slot it was read in. */
export function useBoard(): UseQueryResult<Board> {
  const { nodes } = useSetup();
  return useQuery({
    queryKey: ['board'],
    queryFn: () => readBoard(nodes.rpc),
    refetchInterval: READ_EVERY_MS,
  });
}

/** Reads again when the node announces a change of an account. Reading at intervals goes on besides. */
function useAnnouncements(addresses: readonly Address[], queryKey: readonly unknown[]): void {
  const { nodes } = useSetup();
  const { using } = useNodeState();
  const client = useQueryClient();
  const key = JSON.stringify(queryKey);
  const listed = addresses.join(' ');
  useEffect(() => {
    const ended = new AbortController();
    const { subscriptions } = nodes;
    const filter = { queryKey: JSON.parse(key) as unknown[] };
    let waits = false;
    const again = () => {
      if (waits) {
        return;
      }
      waits = true;
      setTimeout(() => {
        waits = false;
        // A reading under way goes on: on a slow line it would never come to its end.
        void client.invalidateQueries(filter, { cancelRefetch: false });
      }, ANNOUNCED_EVERY_MS);
    };
    for (const one of listed === '' ? [] : (listed.split(' ') as Address[])) {
      void follow(one, ended.signal, subscriptions, again);
    }
    return () => ended.abort();
  }, [client, key, listed, nodes, using]);
}

async function follow(
  account: Address,
  abortSignal: AbortSignal,
  subscriptions: Nodes['subscriptions'],
  changed: () => void,
): Promise<void> {
  try {
    const options = { commitment: 'confirmed', encoding: 'base64' } as const;
    const announced = await subscriptions
      .accountNotifications(account, options)
      .subscribe({ abortSignal });
    for await (const _ of announced) {
      changed();
    }
  } catch {
    // Without announcements there is reading at intervals, whose age the page shows.
  }
}
