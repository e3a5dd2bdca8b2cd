/** Protective steps: what is sold of a position into the book before it could be liquidated. */
import { findProtectionPda, getProtectionDecoder, type ProtectiveStepArgs } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { isLeg, readAccounts, type MarketState, type TraderState } from '../chain/accounts';
import { closeProtection, setProtection } from '../chain/actions';
import { bpsOf, percent } from '../decimal';
import { SentWords, useSend } from '../sending';
import { useSetup } from '../venue';
import { useWallets } from '../wallet';
import { Problem } from './parts';

/** How far from the mark the fills of steps may lie, basis points. */
const SLIP_BPS = 50;

type Props = { readonly state: TraderState; readonly market: MarketState };

export function Protection({ state, market }: Props): ReactNode {
  const { nodes } = useSetup();
  const { owner } = useWallets();
  const { sent, busy, run } = useSend();
  const [typed, setTyped] = useState('');
  const [address, key] = [state.account.address, market.keys.address];
  const found = useQuery({
    queryKey: ['protection', address, key],
    queryFn: async () => {
      const [protection] = await findProtectionPda({ trader: address, market: key });
      const [account] = (await readAccounts(nodes.rpc, [protection])).accounts;
      return account !== undefined && 'data' in account
        ? getProtectionDecoder().decode(account.data)
        : null;
    },
  });
  const leg = state.trader.positions.some((slot) => slot.market === key && isLeg(slot));
  const steps = found.data?.steps.filter((step) => step.ratioBps !== 0) ?? [];
  const signing = () => {
    if (owner === undefined) {
      throw new Error('no wallet is connected; connect one first');
    }
    return owner;
  };
  const set = () =>
    void run('Protective steps', async () =>
      setProtection(
        nodes,
        market,
        signing(),
        state,
        found.data !== null,
        stepsOf(typed),
        SLIP_BPS,
      ),
    );
  const close = () =>
    void run('Protective steps closed', async () => [
      await closeProtection(market.keys, signing(), address),
    ]);
  return (
    <details>
      <summary>Protective steps{steps.length === 0 ? '' : ` (${steps.length})`}</summary>
      <p>
        Below a margin ratio{leg ? ' of the account' : ''} anybody reduces the position against the book, at most{' '}
        {percent(SLIP_BPS)} from the mark: for a keeper’s fee, without a liquidation’s discount.
      </p>
      <ul data-testid="steps">
        {steps.map((step) => (
          <li key={step.ratioBps}>
            below {percent(step.ratioBps)} keep {percent(step.keepBps)} of the position
          </li>
        ))}
      </ul>
      <form className="bar" onSubmit={(event) => (event.preventDefault(), set())}>
        <label className="grow">
          Steps, ratio:keep in per cent, falling, such as 150:50, 120:0
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
          />
        </label>
        <button type="submit" disabled={busy || found.data === undefined}>
          Set steps
        </button>
        {found.data !== null && found.data !== undefined && (
          <button type="button" onClick={close}>
            Close, rent back
          </button>
        )}
      </form>
      <Problem error={found.error} />
      <SentWords sent={sent} />
    </details>
  );
}

/** Steps as somebody types them. What makes a step good is the program's to say. */
export function stepsOf(text: string): ProtectiveStepArgs[] {
  return text.split(',').map((step) => {
    const [ratio, keep, ...more] = step.trim().split(':');
    if (ratio === undefined || keep === undefined || more.length > 0) {
      throw new RangeError(
        `"${step.trim()}" is no step; expected ratio:keep in per cent, such as 150:50`,
      );
    }
    return { ratioBps: bpsOf(ratio.trim()), keepBps: bpsOf(keep.trim()) };
  });
}
