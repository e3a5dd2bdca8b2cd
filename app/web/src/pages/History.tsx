/** What happened to the wallet's trader accounts, and why. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';

import type { Venue } from '../chain/accounts';
import { NEWEST, readHistory, type Happened } from '../chain/history';
import { Problem, ReadAge } from '../parts/parts';
import { WhyMe } from '../parts/WhyMe';
import { useSetup, useTraders } from '../venue';
import { useWallets } from '../wallet';
import { sentenceOf, type View } from '../words';

type Props = { readonly venue: Venue };

export function HistoryPage({ venue }: Props): ReactNode {
  const { nodes } = useSetup();
  const { owner } = useWallets();
  const traders = useTraders(owner);
  const accounts = traders.data?.map(({ account }) => account.address);
  const history = useQuery({
    queryKey: ['history', accounts],
    queryFn: () => readHistory(nodes.rpc, accounts ?? []),
    enabled: accounts !== undefined,
  });
  const listed = accounts?.join(' ');
  const view = useMemo<View>(
    () => ({
      decimals: venue.exchange.mintDecimals,
      own: new Set(listed?.split(' ')),
      market: (address) => venue.markets.find((one) => one.address === address),
    }),
    [venue, listed],
  );
  if (owner === undefined) {
    return <p>Connect a wallet to see what happened to its trader accounts.</p>;
  }
  return (
    <>
      <div className="bar">
        <button type="button" onClick={() => void history.refetch()}>
          Read again
        </button>
        <ReadAge of={history} />
      </div>
      <p className="lead">
        The newest {NEWEST} transactions that your node has of your trader accounts.
      </p>
      <Problem error={traders.error ?? history.error} />
      <ol className="events">
        {history.data?.map((one) => (
          <Entry key={one.signature} happened={one} view={view} venue={venue} />
        ))}
      </ol>
      {history.data?.length === 0 && <p className="muted">Nothing has happened yet.</p>}
    </>
  );
}

type EntryProps = { readonly happened: Happened; readonly view: View; readonly venue: Venue };

function Entry({ happened, view, venue }: EntryProps): ReactNode {
  const { signature, slot, time, announcements } = happened;
  const when = time === null ? `slot ${slot}` : new Date(Number(time) * 1_000).toLocaleString();
  return (
    <li data-signature={signature}>
      <div className="age">
        <time>{when}</time> · slot {String(slot)} ·{' '}
        <code title={signature}>{signature.slice(0, 12)}…</code>
      </div>
      {announcements.map(({ event }, at) => (
        <div key={at} data-event={event.name}>
          {sentenceOf(event, view)}
          {event.name === 'AutoDeleveraged' && (
            <Why signature={signature} at={at} venue={venue} market={event.data.market} />
          )}
        </div>
      ))}
      {announcements.length === 0 && (
        <div className="muted">A transaction without an event of Ballast.</div>
      )}
    </li>
  );
}

type WhyProps = {
  readonly signature: string;
  readonly at: number;
  readonly venue: Venue;
  readonly market: string;
};

function Why(props: WhyProps): ReactNode {
  const [asked, setAsked] = useState(0);
  return (
    <>
      {' '}
      <button type="button" onClick={() => setAsked(asked + 1)}>
        Why me?
      </button>
      {asked > 0 && <WhyMe key={asked} {...props} />}
    </>
  );
}
