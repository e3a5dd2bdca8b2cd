/** History from the gateway, a page at a time; whoever doubts a cut has it fetched again from their own node. */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { TraderState, Venue } from '../chain/accounts';
import type { Gateway, HistoryRow } from '../chain/gateway';
import { grouped } from '../decimal';
import { Problem, ReadAge } from './parts';
import { Why } from './Why';

const READ_EVERY_MS = 5_000;

type Props = {
  readonly venue: Venue;
  readonly gateway: Gateway;
  readonly state: TraderState;
};

export function GatewayHistory({ venue, gateway, state }: Props): ReactNode {
  const { address } = state.account;
  const history = useInfiniteQuery({
    queryKey: ['gateway-history', address],
    queryFn: ({ pageParam }) => gateway.history(address, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: READ_EVERY_MS,
  });
  const pages = history.data?.pages ?? [];
  return (
    <section aria-label={`Trader account ${state.trader.subId}`} data-testid="gateway-history">
      <div className="bar">
        <button type="button" onClick={() => void history.refetch()}>
          Read again
        </button>
        <a href={gateway.historyFile(address)} download>
          All of it as CSV
        </a>
        <ReadAge of={history} />
      </div>
      {pages.some(({ complete }) => !complete) && (
        <p className="problem">
          The gateway says that its history has holes: something may be missing here.
        </p>
      )}
      <Problem error={history.error} />
      <div className="scroll" tabIndex={0} role="group" aria-label="History, the newest first">
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Market</th>
              <th scope="col">Size</th>
              <th scope="col">Price</th>
              <th scope="col">Amount</th>
              <th scope="col">Fee</th>
              <th scope="col">Transaction</th>
            </tr>
          </thead>
          <tbody>
            {pages
              .flatMap(({ rows }) => rows)
              .map((row) => (
                <Line
                  key={`${row.signature} ${row.index} ${row.sub}`}
                  row={row}
                  address={address}
                />
              ))}
          </tbody>
        </table>
      </div>
      {pages
        .flatMap(({ rows }) => rows)
        .filter(({ kind, trader }) => kind === 'cut' && trader === address)
        .map((row) => (
          <p key={`${row.signature} ${row.index}`} data-cut={row.signature}>
            You were cut by {row.size ?? '?'} of {row.market}, and gave up {row.amount ?? '?'} of
            profit: so says the gateway.
            <Why
              signature={row.signature}
              at={Number(row.index)}
              venue={venue}
              market={
                venue.markets.find(({ index }) => index === Number(row.market_index))?.address
              }
              claim={{ trader: address, lots: String(row.lots), gaveUp: row.amount ?? '' }}
            />
          </p>
        ))}
      {pages[0]?.rows.length === 0 && <p className="muted">Nothing has happened yet.</p>}
      {history.hasNextPage && (
        <button type="button" onClick={() => void history.fetchNextPage()}>
          Older
        </button>
      )}
    </section>
  );
}

type LineProps = { readonly row: HistoryRow; readonly address: string };

function Line({ row, address }: LineProps): ReactNode {
  const when = row.time === null ? `slot ${row.slot}` : moment(row.time);
  const mine = row.trader === address;
  return (
    <tr data-row={row.kind}>
      <td>
        <time>{when}</time>
        {!row.final && <span className="muted"> not final</span>}
      </td>
      <td>
        {words(row)}
        {!mine && row.other === address && ' (you are the other one)'}
      </td>
      <td>{row.market ?? ''}</td>
      <td className="number">{row.size === null ? '' : grouped(row.size)}</td>
      <td className="number">{row.price === null ? '' : grouped(row.price)}</td>
      <td className="number">{row.amount === null ? '' : grouped(row.amount)}</td>
      <td className="number">{row.fee === null ? '' : grouped(row.fee)}</td>
      <td>
        <code title={row.signature}>{row.signature.slice(0, 8)}…</code>
      </td>
    </tr>
  );
}

function moment(time: number | string): string {
  return new Date(Number(time) * 1_000).toLocaleString();
}

function words({ kind, side, detail }: HistoryRow): string {
  return [kind, side, detail].filter((word) => word !== null && word !== '').join(', ');
}
