/** Deposits and withdrawals. */
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import type { TraderState, Venue } from '../chain/accounts';
import { deposit, withdraw } from '../chain/actions';
import { readTokenAccounts } from '../chain/tokens';
import { atomsOf, decimal, plainDecimal } from '../decimal';
import { ask } from '../engine';
import { SentWords, type Sending } from '../sending';
import { useSetup } from '../venue';
import { useWallets } from '../wallet';
import { Amount, Figure, Problem } from './parts';

type Props = {
  readonly venue: Venue;
  readonly state: TraderState | undefined;
  readonly sending: Sending;
};

export function Collateral({ venue, state, sending }: Props): ReactNode {
  const { nodes } = useSetup();
  const { owner } = useWallets();
  const { sent, busy, run } = sending;
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const { mintDecimals, collateralMint } = venue.exchange;
  const tokens = useQuery({
    queryKey: ['tokens', owner],
    queryFn: () => (owner === undefined ? [] : readTokenAccounts(nodes.rpc, owner, collateralMint)),
    enabled: owner !== undefined,
  });
  const fullest = tokens.data?.[0];
  const free = state?.trader.free ?? 0n;

  const move = (out: boolean) => {
    setProblem(undefined);
    let atoms: bigint;
    try {
      atoms = atomsOf(typed, mintDecimals);
    } catch (refused) {
      setProblem(refused);
      return;
    }
    const purpose = `${out ? 'Withdrawal' : 'Deposit'} of ${decimal(atoms, mintDecimals)}`;
    void run(purpose, async () => {
      if (owner === undefined) {
        throw new Error('no wallet is connected; connect one first');
      }
      if (out && state !== undefined) {
        // The engine's sentence, before the wallet is asked.
        await ask('previewTransfer', {
          trader: state.account,
          decimals: mintDecimals,
          atoms: -atoms,
        });
        return withdraw(venue, owner, state.account.address, fullest, atoms);
      }
      if (fullest === undefined) {
        throw new Error('the wallet holds none of the collateral; get some of its mint first');
      }
      return deposit(venue, owner, state?.account.address, fullest, atoms);
    });
  };

  return (
    <div className="card" data-testid="collateral">
      {state === undefined && (
        <p>This wallet has no trader account yet. The first deposit opens one.</p>
      )}
      <form className="bar" onSubmit={(event) => (event.preventDefault(), move(false))}>
        <label>
          Amount
          <br />
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            inputMode="decimal"
            autoComplete="off"
          />
        </label>
        <button
          type="button"
          onClick={() => setTyped(plainDecimal(fullest?.atoms ?? 0n, mintDecimals))}
        >
          All of the wallet
        </button>
        {state !== undefined && (
          <button type="button" onClick={() => setTyped(plainDecimal(free, mintDecimals))}>
            All that is free
          </button>
        )}
        <button type="submit" disabled={busy}>
          Deposit
        </button>
        {state !== undefined && (
          <button type="button" disabled={busy} onClick={() => move(true)}>
            Withdraw
          </button>
        )}
      </form>
      <dl className="figures">
        <Figure label="In the wallet" id="wallet_atoms">
          <Amount atoms={fullest?.atoms ?? 0n} decimals={mintDecimals} />
        </Figure>
      </dl>
      <Problem error={problem ?? tokens.error} />
      <SentWords sent={sent} />
    </div>
  );
}
