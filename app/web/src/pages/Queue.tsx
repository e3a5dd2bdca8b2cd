/** Who is deleveraged first: public, without a wallet. */
import type { MarketQueues, SideQueue } from 'ballast-client';
import { useState, type ReactNode } from 'react';

import type { MarketKeys, Venue } from '../chain/accounts';
import { decimal, grouped } from '../decimal';
import { useEngine } from '../engine/useEngine';
import { GapCurve } from '../parts/GapCurve';
import { Mark } from '../parts/Mark';
import { MarketChoice } from '../parts/MarketChoice';
import { AddressText, Amount, Light, Problem, ReadAge } from '../parts/parts';
import { PlaceOf } from '../parts/PlaceOf';
import { isLarge, useMarket } from '../venue';

const TOPS = [10, 50, 200];

type Props = { readonly venue: Venue; readonly keys: MarketKeys };

export function QueuePage({ venue, keys }: Props): ReactNode {
  const [top, setTop] = useState(10);
  const market = useMarket(venue, keys);
  const state = market.data;
  const queue = useEngine(
    'queue',
    [keys.address, market.dataUpdatedAt, top],
    state && { market: state.accounts, top },
  );
  return (
    <>
      <div className="bar">
        <MarketChoice venue={venue} keys={keys} page="queue" />
        <label>
          Show the first{' '}
          <select value={top} onChange={(event) => setTop(Number(event.target.value))}>
            {TOPS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <ReadAge of={market} />
        {isLarge(state) && (
          <button type="button" onClick={() => void market.refetch()}>
            Read this large queue again
          </button>
        )}
      </div>
      <p className="lead">
        When a bankrupt position has exhausted book, pool and insurance, winners of the other side
        close against it in this order. Computed in this page from the accounts of your own node.
      </p>
      <Problem error={market.error ?? queue.error} />
      {queue.data !== undefined && state !== undefined && (
        <>
          <Mark answer={queue.data} />
          <div className="columns">
            {queue.data.sides.map((side) => (
              <Side
                key={side.side}
                side={side}
                queues={queue.data}
                decimals={venue.exchange.mintDecimals}
              />
            ))}
          </div>
          <PlaceOf venue={venue} state={state} readAt={market.dataUpdatedAt} />
          <GapCurve venue={venue} state={state} readAt={market.dataUpdatedAt} />
        </>
      )}
    </>
  );
}

type SideProps = {
  readonly side: SideQueue;
  readonly queues: MarketQueues;
  readonly decimals: number;
};

function Side({ side, queues, decimals }: SideProps): ReactNode {
  const title = `${side.side === 'long' ? 'Longs' : 'Shorts'} of ${queues.market}`;
  return (
    <section aria-label={title} data-side={side.side}>
      <h2>{title}</h2>
      <Histogram side={side} />
      <div
        className="scroll"
        tabIndex={0}
        role="group"
        aria-label={`${title}, the first to be cut first`}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Light</th>
              <th scope="col">Trader account</th>
              <th scope="col">Size</th>
              <th scope="col">Notional</th>
              <th scope="col">Notional before</th>
            </tr>
          </thead>
          <tbody>
            {side.places.map((place) => (
              <tr key={place.trader} data-class={place.class}>
                <td className="number">{place.rank}</td>
                <td>
                  <Light light={place.light} />
                </td>
                <td>
                  <AddressText address={place.trader} />
                </td>
                <td className="number">{grouped(place.size)}</td>
                <td>
                  <Amount atoms={place.notional_atoms} decimals={decimals} />
                </td>
                <td>
                  <Amount atoms={place.notional_ahead_atoms} decimals={decimals} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {side.places.length === 0 && <p className="muted">No position on this side.</p>}
      {side.places.length < side.positions && (
        <p className="muted">
          {side.places.length} of {decimal(side.positions, 0)} positions.
        </p>
      )}
    </section>
  );
}

/** How many positions stand at each light. */
function Histogram({ side }: { readonly side: SideQueue }): ReactNode {
  const most = Math.max(1, ...side.lights.map((light) => light.positions));
  return (
    <table className="histogram">
      <caption>
        {decimal(side.positions, 0)} {side.positions === 1 ? 'position' : 'positions'} by light
      </caption>
      <tbody>
        {[...side.lights.entries()].reverse().map(([light, { positions }]) => (
          <tr key={light} data-light={light}>
            <th scope="row">
              <Light light={light} />
            </th>
            <td className="plot" aria-hidden="true">
              <i className={`fill-${light}`} style={{ width: `${(100 * positions) / most}%` }} />
            </td>
            <td className="number">{decimal(positions, 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
