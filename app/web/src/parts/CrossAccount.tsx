/** Positions that share collateral: what they hold and need together, and each of them. */
import type { CrossAccount as Account, Leg } from 'ballast-client';
import type { ReactNode } from 'react';

import type { MarketState, TraderState, Venue } from '../chain/accounts';
import { decimal, grouped, percentOrNone, priceOrNone } from '../decimal';
import { useEngine } from '../engine/useEngine';
import { useBoard } from '../venue';
import { Amount, Figure, Problem, ReadAge } from './parts';

type Props = {
  readonly venue: Venue;
  readonly state: TraderState;
  /** The markets of the account; undefined until they are read. */
  readonly states: readonly MarketState[] | undefined;
  /** When they were read. */
  readonly readAt: string;
};

const HEALTH: { readonly [health in Account['health']]: string } = {
  healthy: 'healthy',
  below_maintenance: 'below maintenance: its legs may be liquidated',
  bankrupt: 'bankrupt: its legs are being closed',
};

export function CrossAccount({ venue, state, states, readAt }: Props): ReactNode {
  const board = useBoard();
  const decimals = venue.exchange.mintDecimals;
  const answer = useEngine(
    'account',
    [state.account.address, readAt, board.dataUpdatedAt, state.account.data.join()],
    board.data &&
      states && {
        trader: state.account,
        decimals,
        slot: board.data.slot,
        board: board.data.account,
        markets: states.map((one) => one.accounts.market),
      },
  );
  const account = answer.data;
  const amount = (atoms: string) => <Amount atoms={atoms} decimals={decimals} />;
  return (
    <article className="card" data-testid="cross-account" aria-label="Cross margin">
      <h3>Cross margin</h3>
      <Problem error={board.error ?? answer.error} />
      {account !== undefined && (
        <>
          <p>
            At the marks of the board; <ReadAge of={board} />. The account is{' '}
            <strong data-testid="cross-health">{HEALTH[account.health]}</strong>.
          </p>
          <dl className="figures">
            <Figure label="Pool" id="pool_atoms">
              {amount(account.pool_atoms)}
            </Figure>
            <Figure label="Equity" id="cross_equity_atoms">
              {amount(account.equity_atoms)}
            </Figure>
            <Figure label="Maintenance margin" id="cross_maintenance_atoms">
              {amount(account.maintenance_atoms)}
            </Figure>
            <Figure label="Margin ratio" id="cross_ratio">
              {percentOrNone(account.margin_ratio_bps)}
            </Figure>
            <Figure label="Leverage" id="cross_leverage">
              {account.leverage_hundredths === null
                ? 'none'
                : `${decimal(account.leverage_hundredths, 2)}x`}
            </Figure>
            <Figure label="May be taken out" id="cross_spare_atoms">
              {amount(spare(account))}
            </Figure>
          </dl>
          {account.legs.length > 0 && <Legs legs={account.legs} amount={amount} />}
        </>
      )}
    </article>
  );
}

/** Atoms of the pool that opening does not need, without unrealised profit. */
function spare(account: Account): string {
  const left = BigInt(account.opening_equity_atoms) - BigInt(account.initial_atoms);
  return (left < 0n ? 0n : left).toString();
}

type LegsProps = {
  readonly legs: readonly Leg[];
  readonly amount: (atoms: string) => ReactNode;
};

function Legs({ legs, amount }: LegsProps): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Legs">
      <table>
        <thead>
          <tr>
            <th scope="col">Leg</th>
            <th scope="col">Mark</th>
            <th scope="col">Result</th>
            <th scope="col">Maintenance margin</th>
            <th scope="col">Bankruptcy price if only this market moves</th>
          </tr>
        </thead>
        <tbody>
          {legs.map((leg) => (
            <tr key={leg.market_index} data-leg={leg.market_index}>
              <th scope="row">
                {leg.market}: {leg.side} {grouped(leg.size)}
              </th>
              <td>
                {grouped(leg.mark)} ({leg.mark_frozen ? 'frozen, ' : ''}
                {grouped(leg.mark_age_slots)} slots old)
              </td>
              <td>{amount(leg.unrealised_atoms)}</td>
              <td>{amount(leg.maintenance_atoms)}</td>
              <td>{priceOrNone(leg.bankruptcy_price)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
