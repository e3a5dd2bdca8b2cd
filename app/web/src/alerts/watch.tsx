/** Looks at the user's positions while the page is open, on every page of it, and tells what crosses a threshold. */
import type { AlertState, BallastEvent } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from 'react';
import type { Signature } from '@solana/kit';

import type { TraderState, Venue } from '../chain/accounts';
import { newestOf, readSince, readStaged } from '../chain/news';
import { ask } from '../engine';
import { sentenceOf, type View } from '../words';
import { useMarkets, useSetup, useTraders, useVenue } from '../venue';
import { useWallets } from '../wallet';
import { loadRules, saveRules, type Rules } from './rules';
import { describeStaged } from './words';

/** Alerts that are remembered. */
const REMEMBERED = 50;
/** How often others' doings and staged changes are looked for, milliseconds. */
const LOOK_EVERY_MS = 3_000;
/** Events by which somebody else reduces a position. */
const FORCED: readonly BallastEvent['name'][] = [
  'PositionLiquidated',
  'AutoDeleveraged',
  'ProtectionExecuted',
  'TriggerExecuted',
];

/** An alert that was raised, or that has ended. */
export type Alert = {
  readonly at: number;
  readonly kind: string;
  /** Whether it began; it ended otherwise. */
  readonly raised: boolean;
  readonly text: string;
};

type Alerts = {
  readonly rules: Rules;
  change(rules: Rules): void;
  /** The newest first. */
  readonly told: readonly Alert[];
  /** What of the looking does not work. */
  readonly problem: unknown;
};

type Tell = (alerts: readonly Omit<Alert, 'at'>[]) => void;

const Context = createContext<Alerts | undefined>(undefined);

/** The rules, and what they have led to. */
export function useAlerts(): Alerts {
  const alerts = useContext(Context);
  if (alerts === undefined) {
    throw new Error('useAlerts is used outside AlertsProvider');
  }
  return alerts;
}

export function AlertsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [rules, setRules] = useState(loadRules);
  const [told, setTold] = useState<readonly Alert[]>([]);
  const [problem, setProblem] = useState<unknown>();
  const venue = useVenue();
  const { owner } = useWallets();
  const traders = useTraders(rules.on ? owner : undefined);
  const tell = useCallback<Tell>((alerts) => {
    const at = Date.now();
    setTold((before) =>
      [...alerts.map((one) => ({ ...one, at })).reverse(), ...before].slice(0, REMEMBERED),
    );
    alerts.forEach(notify);
  }, []);
  const value = useMemo<Alerts>(
    () => ({
      rules,
      told,
      problem,
      change: (changed) => (saveRules(changed), setRules(changed)),
    }),
    [rules, told, problem],
  );
  return (
    <Context value={value}>
      {children}
      {rules.on && venue.data !== undefined && (
        <>
          {owner !== undefined &&
            traders.data?.map((state) => (
              <Watched
                key={state.account.address}
                venue={venue.data}
                state={state}
                rules={rules}
                tell={tell}
                fail={setProblem}
              />
            ))}
          <StagedChanges venue={venue.data} tell={tell} />
        </>
      )}
    </Context>
  );
}

/** By the browser, where it lets the page. */
function notify({ text, raised }: Omit<Alert, 'at'>): void {
  if (typeof Notification !== 'undefined' && Notification.permission === 'granted') {
    new Notification(raised ? 'Ballast: alert' : 'Ballast: over', { body: text });
  }
}

type WatchedProps = {
  readonly venue: Venue;
  readonly state: TraderState;
  readonly rules: Rules;
  readonly tell: Tell;
  fail(problem: unknown): void;
};

/** A trader account: its thresholds with every reading, and what others did to it. */
function Watched({ venue, state, rules, tell, fail }: WatchedProps): ReactNode {
  useThresholds(venue, state, rules, tell, fail);
  useForced(venue, state, tell);
  return null;
}

function useThresholds(
  venue: Venue,
  state: TraderState,
  rules: Rules,
  tell: Tell,
  fail: (problem: unknown) => void,
): void {
  const slots = state.trader.positions;
  const markets = useMarkets(
    venue,
    venue.markets.filter((keys) => slots.some((slot) => slot.market === keys.address)),
  );
  const raised = useRef<readonly AlertState[]>([]);
  const looking = useRef(false);
  const states = markets.states;
  useEffect(() => {
    if (states === undefined || looking.current) {
      return;
    }
    looking.current = true;
    const { lightAt, ratioBelowBps, fundingAbovePpm } = rules;
    ask('alerts', {
      trader: state.account,
      decimals: venue.exchange.mintDecimals,
      markets: states.map(({ accounts }) => accounts),
      lightAt,
      ratioBelowBps: BigInt(ratioBelowBps),
      fundingAbovePpm,
      raised: raised.current,
    })
      .then((found) => {
        raised.current = found.raised;
        fail(undefined);
        tell(found.crossings);
      }, fail)
      .finally(() => (looking.current = false));
    // A reading is a look: its moment tells one from the next.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [markets.readAt, state.account, rules]);
}

function useForced(venue: Venue, state: TraderState, tell: Tell): void {
  const { nodes } = useSetup();
  const { address } = state.account;
  const until = useRef<Signature | undefined>(undefined);
  useQuery({
    queryKey: ['forced', address],
    queryFn: async () => {
      if (until.current === undefined) {
        until.current = await newestOf(nodes.rpc, address);
        return null;
      }
      const news = await readSince(nodes.rpc, address, until.current);
      until.current = news.at(-1)?.signature ?? until.current;
      const view = viewOf(venue, address);
      const forced = news
        .flatMap(({ announcements }) => announcements)
        .filter(({ event }) => FORCED.includes(event.name) && concerns(event, address));
      tell(
        forced.map(({ event }) => ({
          kind: event.name,
          raised: true,
          text: sentenceOf(event, view),
        })),
      );
      return null;
    },
    refetchInterval: LOOK_EVERY_MS,
    refetchIntervalInBackground: true,
  });
}

/** Whether an event reduced the position of a trader account. */
function concerns({ name, data }: BallastEvent, trader: string): boolean {
  switch (name) {
    case 'AutoDeleveraged':
      return data.bankrupt === trader || data.cuts.some((cut) => cut.trader === trader);
    case 'PositionLiquidated':
      return data.trader === trader;
    case 'ProtectionExecuted':
    case 'TriggerExecuted':
      return data.trader === trader;
    default:
      return false;
  }
}

function viewOf(venue: Venue, own: string): View {
  return {
    decimals: venue.exchange.mintDecimals,
    own: new Set([own]),
    market: (address) => venue.markets.find((keys) => keys.address === address),
  };
}

/** Changes that authorities stage: told when they appear, and when they are gone. */
function StagedChanges({ venue, tell }: { readonly venue: Venue; readonly tell: Tell }): ReactNode {
  const { nodes } = useSetup();
  const known = useRef(new Map<string, string>());
  useQuery({
    queryKey: ['staged'],
    queryFn: async () => {
      const staged = await readStaged(nodes.rpc);
      const texts = new Map(
        staged.map((one) => [String(one.address), describeStaged(one, venue.markets)]),
      );
      const begun = [...texts].filter(([address]) => !known.current.has(address));
      const over = [...known.current].filter(([address]) => !texts.has(address));
      known.current = texts;
      tell([
        ...begun.map(([, text]) => ({ kind: 'staged', raised: true, text })),
        ...over.map(([, text]) => ({
          kind: 'staged',
          raised: false,
          text: `No longer staged: ${text}`,
        })),
      ]);
      return null;
    },
    refetchInterval: LOOK_EVERY_MS,
    refetchIntervalInBackground: true,
  });
  return null;
}
