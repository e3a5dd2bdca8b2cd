/** Every market in a line: its mode, its price and what is wrong with it; its parameters, and what is about to change. */
import type { Market, MarketLine } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { describeStaged } from '../alerts/words';
import type { MarketKeys, MarketState, Venue } from '../chain/accounts';
import { readStaged } from '../chain/news';
import { age, decimal, grouped } from '../decimal';
import { useEngine } from '../engine/useEngine';
import { ParameterHistory } from '../parts/ParameterHistory';
import { Amount, Figure, Problem, ReadAge } from '../parts/parts';
import { useMarket, useNodeState, useSetup } from '../venue';

const STAGED_EVERY_MS = 10_000;

const MODES: { readonly [mode in MarketLine['mode']]: string } = {
  active: 'open',
  reduce_only: 'reduce only: nobody opens or enlarges a position',
  settling: 'being settled at its last price',
  settled: 'ended',
};

export function MarketsPage({ venue }: { readonly venue: Venue }): ReactNode {
  const { nodes } = useSetup();
  const { using } = useNodeState();
  const staged = useQuery({
    queryKey: ['staged-list'],
    queryFn: () => readStaged(nodes.rpc),
    refetchInterval: STAGED_EVERY_MS,
  });
  return (
    <>
      <p>
        Answered by <code>{new URL(nodes.nodes[using]?.rpc ?? '').host}</code>.
      </p>
      {venue.markets.map((keys) => (
        <OneMarket key={keys.address} venue={venue} keys={keys} />
      ))}
      <section aria-label="Staged changes">
        <h2>What is about to change</h2>
        <Problem error={staged.error} />
        {staged.data?.length === 0 && <p className="muted">Nothing is staged.</p>}
        <ul>
          {staged.data?.map((one) => (
            <li key={one.address} data-staged={one.kind}>
              {describeStaged(one, venue.markets)}
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

type Props = { readonly venue: Venue; readonly keys: MarketKeys };

function OneMarket({ venue, keys }: Props): ReactNode {
  const market = useMarket(venue, keys);
  const line = useEngine(
    'market',
    [keys.address, market.dataUpdatedAt],
    market.data && { market: market.data.accounts },
  );
  return (
    <section aria-label={keys.name} data-market={keys.index} className="card">
      <h2>{keys.name}</h2>
      <ReadAge of={market} />
      <Problem error={market.error ?? line.error} />
      {line.data !== undefined && market.data !== undefined && (
        <Line line={line.data} state={market.data} decimals={venue.exchange.mintDecimals} />
      )}
    </section>
  );
}

type LineProps = {
  readonly line: MarketLine;
  readonly state: MarketState;
  readonly decimals: number;
};

function Line({ line, state, decimals }: LineProps): ReactNode {
  const [opened, setOpened] = useState(false);
  const bid = line.best_bid;
  const ask = line.best_ask;
  return (
    <>
      {line.price_fault !== null && (
        <p className="problem" data-testid="price-fault">
          {line.price_fault}
        </p>
      )}
      <dl className="figures">
        <Figure label="Mode" id="mode">
          {MODES[line.mode]}
          {line.ends_at !== null &&
            `, ends ${new Date(Number(line.ends_at) * 1_000).toLocaleString()}`}
        </Figure>
        <Figure label="Price" id="price">
          {line.price === null ? 'none yet' : grouped(line.price)}
        </Figure>
        <Figure label="Price is old" id="price_age">
          {line.price_age_seconds === null ? 'unknown' : age(line.price_age_seconds)}
        </Figure>
        <Figure label="Best bid, ask" id="best">
          {bid === null ? 'none' : grouped(bid.price)}, {ask === null ? 'none' : grouped(ask.price)}
        </Figure>
        <Figure label="Funding an hour" id="funding">
          {line.funding_current_ppm === null
            ? 'none yet'
            : `${decimal(line.funding_current_ppm, 4)} %`}
        </Figure>
        <Figure label="Open interest" id="open_interest">
          {grouped(line.open_interest)}
        </Figure>
        <Figure label="Insurance" id="insurance">
          <Amount atoms={line.insurance_atoms} decimals={decimals} />
        </Figure>
        <Figure label="of it may be paid now" id="insurance_available">
          <Amount atoms={line.insurance_available_atoms} decimals={decimals} />
        </Figure>
        <Figure label="Liquidations, rounds of deleveraging" id="counts">
          {decimal(line.liquidations, 0)}, {decimal(line.adl_rounds, 0)}
        </Figure>
      </dl>
      <details onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
        <summary>Risk parameters, as they stand on chain</summary>
        <dl className="figures">
          {parameters(state.market).map(([name, value]) => (
            <Figure key={name} label={name}>
              {value}
            </Figure>
          ))}
        </dl>
        {opened && <ParameterHistory keys={state.keys} />}
      </details>
    </>
  );
}

/** The parameters that are single numbers, by their names in words. */
function parameters({ risk }: Market): [string, string][] {
  return Object.entries(risk)
    .filter(([name, value]) => ['number', 'bigint'].includes(typeof value) && name !== 'pad')
    .map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
      decimal(value as bigint | number, 0),
    ]);
}
