/** Positions that share collateral: what they hold and need together, and each of them. */
import {
  decimalOf,
  type ClosingTrigger,
  type CrossAccount as Account,
  type Leg,
  type Trigger,
} from 'ballast-client';
import type { ReactNode } from 'react';

import { isLeg, type MarketState, type TraderState, type Venue } from '../chain/accounts';
import { decimal, grouped, percentOrNone, priceOrNone } from '../decimal';
import { useEngine } from '../engine/useEngine';
import { useBoard } from '../venue';
import { Amount, Figure, Problem, ReadAge } from './parts';
import { Protection } from './Protection';
import { Triggers } from './Triggers';

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
      {states?.map((market) => (
        <Closing key={market.keys.index} state={state} market={market} />
      ))}
    </article>
  );
}

type ClosingProps = { readonly state: TraderState; readonly market: MarketState };

/** What closes lots of a leg at its owner's wish; nothing where there is no leg in the market. */
function Closing({ state, market }: ClosingProps): ReactNode {
  const { address, name } = market.keys;
  const leg = state.trader.positions.find((slot) => slot.market === address && isLeg(slot));
  if (leg === undefined) {
    return null;
  }
  const set = (trigger: Trigger) => closingTrigger(trigger, market);
  const position = {
    lots: leg.lots.toString(),
    stop_loss: set(leg.stopLoss),
    take_profit: set(leg.takeProfit),
  };
  return (
    <section aria-label={`Closing the leg in ${name}`} data-closing={market.keys.index}>
      <h4>{name}</h4>
      <Triggers position={position} state={state} market={market} />
      <Protection state={state} market={market} />
    </section>
  );
}

/** A trigger as the engine says it; null where it is not set. */
function closingTrigger(trigger: Trigger, { market }: MarketState): ClosingTrigger | null {
  return trigger.priceTicks === 0n
    ? null
    : {
        price_ticks: trigger.priceTicks.toString(),
        price: decimalOf(trigger.priceTicks, market.oracle.tickNano),
        worst_ticks: trigger.worstTicks.toString(),
        lots: trigger.lots,
      };
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
