/** What an order did, from the event of its transaction. */
import type { BallastEvent } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { Venue } from '../chain/accounts';
import { readTransaction } from '../chain/history';
import { grouped } from '../decimal';
import { useSetup } from '../venue';
import { Amount, Figure, Problem } from './parts';

type Placed = Extract<BallastEvent, { name: 'OrderPlaced' }>['data'];

export function OrderOutcome({
  signature,
  venue,
}: {
  readonly signature: string;
  readonly venue: Venue;
}): ReactNode {
  const { nodes } = useSetup();
  const happened = useQuery({
    queryKey: ['transaction', signature],
    queryFn: () => readTransaction(nodes.rpc, signature),
    staleTime: Infinity,
  });
  const placed = happened.data?.announcements
    .map(({ event }) => event)
    .find((event) => event.name === 'OrderPlaced');
  return (
    <>
      <Problem error={happened.error} />
      {placed?.name === 'OrderPlaced' && (
        <Outcome placed={placed.data} decimals={venue.exchange.mintDecimals} />
      )}
    </>
  );
}

function Outcome({
  placed,
  decimals,
}: {
  readonly placed: Placed;
  readonly decimals: number;
}): ReactNode {
  const taker = placed.taker.__option === 'Some' ? placed.taker.value : undefined;
  const amount = (atoms: bigint) => <Amount atoms={atoms} decimals={decimals} />;
  return (
    <section aria-label="What it did" data-testid="outcome">
      <h3>What it did</h3>
      <dl className="figures">
        <Figure label="Lots filled" id="filled_lots">
          {grouped(String(placed.filledLots))}
        </Figure>
        <Figure label="Lots that wait" id="resting_lots">
          {grouped(String(placed.restingLots))}
        </Figure>
        <Figure label="Lots dropped" id="dropped_lots">
          {grouped(String(placed.droppedLots))}
        </Figure>
        <Figure label="Reserved" id="reserved_atoms">
          {amount(placed.reservedAtoms)}
        </Figure>
        {taker !== undefined && (
          <>
            <Figure label="Fee" id="fee_atoms">
              {amount(taker.fee)}
            </Figure>
            <Figure label="Realized" id="realized_atoms">
              {amount(taker.realized)}
            </Figure>
            <Figure label="Into margin" id="margin_added_atoms">
              {amount(taker.marginAdded)}
            </Figure>
            <Figure label="Margin" id="after_margin_atoms">
              {amount(taker.marginAfter)}
            </Figure>
          </>
        )}
      </dl>
      {placed.fills.length > 0 && (
        <ul data-testid="fills">
          {placed.fills.map((fill, at) => (
            <li key={at} data-lots={String(fill.lots)} data-ticks={String(fill.priceTicks)}>
              {grouped(String(fill.lots))} lots at {grouped(String(fill.priceTicks))} ticks
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
