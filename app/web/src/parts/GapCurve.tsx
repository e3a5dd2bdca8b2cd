/** What positions would lack if the price jumped, and what stands against it. */
import { findPoolPda, findPoolTraderPda } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { readAccounts, type MarketState, type Venue } from '../chain/accounts';
import type { Nodes } from '../chain/nodes';
import { decimal, grouped, percent } from '../decimal';
import { ask } from '../engine';
import { useEngine } from '../engine/useEngine';
import { useSetup } from '../venue';
import { Amount, Figure, Problem } from './parts';

/** Moves of the price, per cent. */
const PERCENT = [1, 2, 3, 5, 7, 10, 15, 20];

type Props = { readonly venue: Venue; readonly state: MarketState; readonly readAt: number };

export function GapCurve({ venue, state, readAt }: Props): ReactNode {
  const { nodes } = useSetup();
  const decimals = venue.exchange.mintDecimals;
  const curve = useEngine('gap', [state.keys.address, readAt], {
    market: state.accounts,
    percent: PERCENT,
  });
  const pool = useQuery({
    queryKey: ['pool', state.keys.address, readAt],
    queryFn: () => poolWorth(nodes, state),
    gcTime: 5_000,
    placeholderData: (previous) => previous,
  });
  const gaps = curve.data?.gaps ?? [];
  const most = gaps.reduce(
    (max, gap) => (BigInt(gap.deficit_atoms) > max ? BigInt(gap.deficit_atoms) : max),
    1n,
  );
  return (
    <section aria-label="Gap curve">
      <h2>What would a jump of the price leave?</h2>
      <Problem error={curve.error ?? pool.error} />
      <dl className="figures">
        <Figure label="Insurance may pay" id="insurance">
          <Amount atoms={curve.data?.insurance_available_atoms ?? 0} decimals={decimals} />
        </Figure>
        <Figure label="Backstop pool" id="pool">
          {pool.data === null || pool.data === undefined ? (
            'none'
          ) : (
            <Amount atoms={pool.data} decimals={decimals} />
          )}
        </Figure>
      </dl>
      <div className="scroll" tabIndex={0} role="group" aria-label="Gap curve, one move a row">
        <table className="gaps">
          <thead>
            <tr>
              <th scope="col">Move</th>
              <th scope="col">Mark</th>
              <th scope="col">Bankrupt</th>
              <th scope="col">They would lack</th>
              <th scope="col">Beyond insurance</th>
            </tr>
          </thead>
          <tbody>
            {gaps.map((gap) => (
              <tr key={gap.move_bps} data-move={gap.move_bps}>
                <th scope="row" className="number">
                  {gap.move_bps > 0 ? '+' : ''}
                  {percent(gap.move_bps)}
                </th>
                <td className="number">{grouped(gap.mark)}</td>
                <td className="number">{decimal(gap.bankrupt_positions, 0)}</td>
                <td className="plotted">
                  <i
                    aria-hidden="true"
                    style={{ width: `${Number((BigInt(gap.deficit_atoms) * 100n) / most)}%` }}
                  />
                  <Amount atoms={gap.deficit_atoms} decimals={decimals} />
                </td>
                <td>
                  <Amount atoms={gap.beyond_insurance_atoms} decimals={decimals} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What the market's pool is worth to whoever leaves it, atoms; null where there is none. */
async function poolWorth({ rpc }: Nodes, state: MarketState): Promise<string | null> {
  const market = state.keys.address;
  const [poolAddress] = await findPoolPda({ market });
  const [trader] = await findPoolTraderPda({ pool: poolAddress });
  const { accounts } = await readAccounts(rpc, [poolAddress, trader]);
  const [pool, poolTrader] = accounts;
  if (
    pool === undefined ||
    poolTrader === undefined ||
    !('data' in pool) ||
    !('data' in poolTrader)
  ) {
    return null;
  }
  const share = { address: market, exists: false } as const;
  const holding = await ask('pool', { market: state.accounts, pool, trader: poolTrader, share });
  return holding.worth_low_atoms;
}
