/** The collateral that legs of a trader account share, and its legs. */
import { BALLAST_PROGRAM_ADDRESS, type CrossAccount } from 'ballast-client';
import { getProgramDerivedAddress } from '@solana/kit';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { present, readAccounts, type TraderState, type Venue } from '../chain/accounts';
import type { Nodes } from '../chain/nodes';
import { grouped } from '../decimal';
import { ask } from '../engine';
import { useSetup } from '../venue';
import { Amount, Figure, Problem, ReadAge } from './parts';

/** How often it is read again, milliseconds. */
const READ_EVERY_MS = 3_000;

type Props = { readonly venue: Venue; readonly state: TraderState };

/** Nothing where the account has neither legs nor a pool. */
export function CrossCard({ venue, state }: Props): ReactNode {
  const { nodes } = useSetup();
  const { crossLegs, crossPool } = state.trader;
  const shares = crossLegs > 0 || crossPool !== 0n;
  const account = useQuery({
    queryKey: ['cross', state.account.address],
    queryFn: () => readCross(nodes, venue, state),
    enabled: shares,
    refetchInterval: READ_EVERY_MS,
    retry: false,
  });
  if (!shares) {
    return null;
  }
  return (
    <section className="card" aria-label="Cross margin" data-testid="cross">
      <div className="bar">
        <h3>Cross margin</h3>
        <ReadAge of={account} />
      </div>
      <Problem error={account.error} />
      {account.data !== undefined && (
        <Shared of={account.data} decimals={venue.exchange.mintDecimals} />
      )}
    </section>
  );
}

function Shared({ of, decimals }: { readonly of: CrossAccount; readonly decimals: number }) {
  return (
    <>
      <dl className="figures">
        <Figure label="Equity, at the board’s marks" id="cross_equity">
          <Amount atoms={of.equity_atoms} decimals={decimals} />
        </Figure>
        <Figure label="Maintenance margin of all legs" id="cross_maintenance">
          <Amount atoms={of.maintenance_atoms} decimals={decimals} />
        </Figure>
        <Figure label="Pool" id="cross_pool">
          <Amount atoms={of.pool_atoms} decimals={decimals} />
        </Figure>
      </dl>
      {of.legs.length > 0 && (
        <div className="scroll" tabIndex={0} role="group" aria-label="Legs">
          <table>
            <thead>
              <tr>
                <th scope="col">Market</th>
                <th scope="col">Leg</th>
                <th scope="col">Mark</th>
                <th scope="col">Result</th>
                <th scope="col">Bankruptcy price if only this market moves</th>
              </tr>
            </thead>
            <tbody>
              {of.legs.map((leg) => (
                <tr key={leg.market_index} data-leg={leg.market_index}>
                  <td>{leg.market}</td>
                  <td>
                    {leg.side} {grouped(leg.size)}
                  </td>
                  <td className="number">
                    {grouped(leg.mark)}
                    {leg.mark_frozen && ' (frozen)'}
                  </td>
                  <td>
                    <Amount atoms={leg.unrealised_atoms} decimals={decimals} />
                  </td>
                  <td className="number">
                    {leg.bankruptcy_price === null ? 'none' : grouped(leg.bankruptcy_price)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Board, trader account and the markets of its legs, of one slot. */
async function readCross({ rpc }: Nodes, { exchange }: Venue, { account, trader }: TraderState) {
  const [board] = await getProgramDerivedAddress({
    programAddress: BALLAST_PROGRAM_ADDRESS,
    seeds: ['board'],
  });
  const legs = trader.positions.filter((slot) => slot.cross !== 0).map((slot) => slot.market);
  const { slot, accounts } = await readAccounts(rpc, [board, account.address, ...legs]);
  const [found, own, ...markets] = accounts;
  return ask('account', {
    slot,
    decimals: exchange.mintDecimals,
    trader: present(own, 'The trader account'),
    board: present(found, 'The board of cross margin'),
    markets: markets.map((market) => present(market, 'The market of a leg')),
  });
}
