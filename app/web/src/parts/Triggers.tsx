/** Stop-loss and take-profit of a position or a leg. */
import { TriggerKind, unitsOf, type ClosingTrigger, type Position } from 'ballast-client';
import { useState, type ReactNode } from 'react';

import type { MarketState, TraderState } from '../chain/accounts';
import { cancelTrigger, placeTrigger } from '../chain/actions';
import { decimal, grouped } from '../decimal';
import { SentWords, useSend } from '../sending';
import { useWallets } from '../wallet';

type Props = {
  readonly position: Pick<Position, 'lots' | 'stop_loss' | 'take_profit'>;
  readonly state: TraderState;
  readonly market: MarketState;
};

export function Triggers({ position, state, market }: Props): ReactNode {
  return (
    <details>
      <summary>Stop-loss and take-profit</summary>
      <TriggerForm
        name="Stop-loss"
        kind={TriggerKind.StopLoss}
        set={position.stop_loss}
        state={state}
        market={market}
        position={position}
      />
      <TriggerForm
        name="Take-profit"
        kind={TriggerKind.TakeProfit}
        set={position.take_profit}
        state={state}
        market={market}
        position={position}
      />
    </details>
  );
}

type FormProps = Props & {
  readonly name: string;
  readonly kind: TriggerKind;
  readonly set: ClosingTrigger | null;
};

function TriggerForm({ name, kind, set, position, state, market }: FormProps): ReactNode {
  const { owner } = useWallets();
  const { sent, busy, run } = useSend();
  const [price, setPrice] = useState('');
  const lots = BigInt(position.lots);
  const change = (place: boolean) =>
    void run(`${name} ${place ? `at ${price}` : 'cleared'}`, async () => {
      if (owner === undefined) {
        throw new Error('no wallet is connected; connect one first');
      }
      const trader = state.account.address;
      if (!place) {
        return [cancelTrigger(market.keys, owner, trader, kind)];
      }
      const ticks = unitsOf(price.trim(), market.market.oracle.tickNano);
      return [placeTrigger(market.keys, owner, trader, kind, ticks, lots < 0n ? -lots : lots)];
    });
  return (
    <form className="bar" onSubmit={(event) => (event.preventDefault(), change(true))}>
      <label>
        {name}: close all when the mark reaches
        <br />
        <input
          value={price}
          onChange={(event) => setPrice(event.target.value)}
          inputMode="decimal"
          autoComplete="off"
        />
      </label>
      <button type="submit" disabled={busy}>
        Set {name.toLowerCase()}
      </button>
      {set !== null && (
        <button type="button" onClick={() => change(false)}>
          Clear {name.toLowerCase()} at {grouped(set.price)} ({decimal(set.lots, 0)} lots)
        </button>
      )}
      <SentWords sent={sent} />
    </form>
  );
}
