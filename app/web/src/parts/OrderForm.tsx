/** An order: what it would do before it is signed, and what it did. */
import { type Address } from '@solana/kit';
import { OrderKind, OrderSide, SelfTrade, unitsOf, type PlaceOrderArgsArgs } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { readMarket, type MarketState, type TraderState, type Venue } from '../chain/accounts';
import { prepareOrder } from '../chain/actions';
import type { Progress } from '../chain/transaction';
import { SentWords, useSend } from '../sending';
import { useShortcuts } from '../shortcuts';
import { useSetup } from '../venue';
import { OrderOutcome } from './OrderOutcome';
import { OrderPreviewFigures } from './OrderPreview';
import { Figure, Problem } from './parts';

type Props = {
  readonly venue: Venue;
  readonly state: MarketState;
  readonly trader: TraderState;
  readonly owner: Address;
  readonly readAt: number;
};

const KINDS: readonly (readonly [OrderKind, string])[] = [
  [OrderKind.Limit, 'limit: what does not fill waits'],
  [OrderKind.Market, 'market: fills now within the price band'],
  [OrderKind.PostOnly, 'post only: waits, never takes'],
  [OrderKind.ImmediateOrCancel, 'immediate or cancel'],
  [OrderKind.FillOrKill, 'fill or kill'],
];

type Typed = { side: OrderSide; kind: OrderKind; price: string; size: string; reduceOnly: boolean };

export function OrderForm({ venue, state, trader, owner, readAt }: Props): ReactNode {
  const { nodes } = useSetup();
  const { sent, busy, run } = useSend();
  const [typed, setTyped] = useState<Typed>({
    side: OrderSide.Bid,
    kind: OrderKind.Limit,
    price: '',
    size: '',
    reduceOnly: false,
  });
  const set = (change: Partial<Typed>) => setTyped({ ...typed, ...change });
  const size = useRef<HTMLInputElement>(null);
  const choose = (change: Partial<Typed>) => (set(change), size.current?.focus());
  useShortcuts({
    b: () => choose({ side: OrderSide.Bid }),
    s: () => choose({ side: OrderSide.Ask }),
    Escape: () => {
      set({ price: '', size: '' });
      (document.activeElement as HTMLElement | null)?.blur();
    },
    ...Object.fromEntries(KINDS.map(([kind], at) => [String(at + 1), () => set({ kind })])),
  });
  const settled = useSettled(typed);
  const complete =
    settled === typed &&
    settled.size.trim() !== '' &&
    (settled.kind === OrderKind.Market || settled.price.trim() !== '');
  const prepared = useQuery({
    queryKey: ['prepared', state.keys.address, trader.account.address, readAt, settled],
    queryFn: () => prepareOrder(nodes, owner, state, trader.account, orderOf(settled, state)),
    enabled: complete,
    retry: false,
    gcTime: 5_000,
    // Figures of accounts of a moment ago, never those of another order.
    placeholderData: (previous, query) => (query?.queryKey[4] === settled ? previous : undefined),
  });

  const place = () =>
    void run(words(typed, state), async () => {
      // Built from accounts of now: what it meets may have changed since the figures above.
      const now = await readMarket(nodes.rpc, venue, state.keys);
      const order = await prepareOrder(nodes, owner, now, trader.account, orderOf(typed, now));
      return [order.instruction];
    });

  return (
    <form className="order" onSubmit={(event) => (event.preventDefault(), place())}>
      <fieldset>
        <legend>Side</legend>
        {[OrderSide.Bid, OrderSide.Ask].map((side) => (
          <label key={side}>
            <input
              type="radio"
              name="side"
              checked={typed.side === side}
              onChange={() => set({ side })}
            />{' '}
            {side === OrderSide.Bid ? 'Buy' : 'Sell'}{' '}
          </label>
        ))}
      </fieldset>
      <label>
        Type
        <select value={typed.kind} onChange={(event) => set({ kind: Number(event.target.value) })}>
          {KINDS.map(([kind, name]) => (
            <option key={kind} value={kind}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {typed.kind === OrderKind.Market ? 'Worst price (none: the band)' : 'Price'}
        <input
          value={typed.price}
          onChange={(event) => set({ price: event.target.value })}
          inputMode="decimal"
          autoComplete="off"
        />
      </label>
      <label>
        Size
        <input
          ref={size}
          value={typed.size}
          onChange={(event) => set({ size: event.target.value })}
          inputMode="decimal"
          autoComplete="off"
        />
      </label>
      <label>
        <input
          type="checkbox"
          checked={typed.reduceOnly}
          onChange={(event) => set({ reduceOnly: event.target.checked })}
        />{' '}
        Only make my position smaller
      </label>
      {complete && <Problem error={prepared.error} />}
      {complete && prepared.error === null && prepared.data !== undefined && (
        <OrderPreviewFigures
          preview={prepared.data.preview}
          decimals={venue.exchange.mintDecimals}
        />
      )}
      <button type="submit" disabled={busy}>
        {typed.side === OrderSide.Bid ? 'Buy' : 'Sell'} {state.keys.name}
      </button>
      <details>
        <summary>Keys</summary>
        <dl className="figures">
          <Figure label="Buy, sell">
            <kbd>B</kbd> <kbd>S</kbd>
          </Figure>
          <Figure label="Type, in the order of the list">
            <kbd>1</kbd> to <kbd>5</kbd>
          </Figure>
          <Figure label="Empty the form and leave it">
            <kbd>Esc</kbd>
          </Figure>
          <Figure label="Choose the market">
            <kbd>/</kbd>
          </Figure>
        </dl>
      </details>
      <SentWords sent={sent} />
      <Outcome progress={sent?.progress} venue={venue} />
    </form>
  );
}

function Outcome({
  progress,
  venue,
}: {
  readonly progress: Progress | undefined;
  readonly venue: Venue;
}): ReactNode {
  return progress?.stage === 'confirmed' ? (
    <OrderOutcome signature={progress.signature} venue={venue} />
  ) : null;
}

/** The order that the form states. */
export function orderOf(
  { side, kind, price, size, reduceOnly }: Typed,
  { keys }: MarketState,
): PlaceOrderArgsArgs {
  const { tickNano, lotNano } = keys.units;
  const priceTicks =
    price.trim() === '' && kind === OrderKind.Market ? 0n : unitsOf(price.trim(), tickNano);
  const lots = unitsOf(size.trim(), lotNano);
  return {
    side,
    kind,
    priceTicks,
    lots,
    margin: 0n,
    clientId: 0n,
    expiresAt: 0n,
    reduceOnly,
    selfTrade: SelfTrade.CancelProvide,
  };
}

function words({ side, kind, price, size }: Typed, { keys }: MarketState): string {
  const at = kind === OrderKind.Market ? 'at the market' : `at ${price.trim()}`;
  return `${side === OrderSide.Bid ? 'Buying' : 'Selling'} ${size.trim()} of ${keys.name} ${at}`;
}

/** What was typed, once nothing has been for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 200);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
