/** What happened to the wallet's trader accounts, and why. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, type ReactNode } from 'react';

import type { TraderState, Venue } from '../chain/accounts';
import { NEWEST, readHistory, type Happened } from '../chain/history';
import { GatewayHistory } from '../parts/GatewayHistory';
import { Problem, ReadAge } from '../parts/parts';
import { Why } from '../parts/Why';
import { useGateway, useSetup, useTraders } from '../venue';
import { useWallets } from '../wallet';
import { sentenceOf, type View } from '../words';

type Props = { readonly venue: Venue };

export function HistoryPage({ venue }: Props): ReactNode {
  const { owner } = useWallets();
  const traders = useTraders(owner);
  const gateway = useGateway();
  if (owner === undefined) {
    return <p>Connect a wallet to see what happened to its trader accounts.</p>;
  }
  return (
    <>
      <Problem error={traders.error} />
      {gateway === undefined ? (
        <DirectHistory venue={venue} traders={traders.data} />
      ) : (
        traders.data?.map((state) => (
          <GatewayHistory
            key={state.account.address}
            venue={venue}
            gateway={gateway}
            state={state}
          />
        ))
      )}
    </>
  );
}

type DirectProps = Props & { readonly traders: readonly TraderState[] | undefined };

/** What the user's own node keeps. */
function DirectHistory({ venue, traders }: DirectProps): ReactNode {
  const { nodes } = useSetup();
  const accounts = traders?.map(({ account }) => account.address);
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
      <Problem error={history.error} />
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
