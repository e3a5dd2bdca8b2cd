/** A fund of a market: its ledger, what the user owns of it, joining and leaving. */
import type { Countdown } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { Address } from '@solana/kit';

import type { MarketState, Venue } from '../chain/accounts';
import {
  cancel,
  join,
  leave,
  readFunds,
  request,
  type Dealing,
  type FundKind,
  type Funds,
} from '../chain/funds';
import type { Nodes } from '../chain/nodes';
import { readTokenAccounts } from '../chain/tokens';
import { atomsOf, decimal } from '../decimal';
import { ask } from '../engine';
import { useEngine } from '../engine/useEngine';
import { SentWords, useSend } from '../sending';
import { useSetup } from '../venue';
import { Amount, Figure, Problem } from './parts';

/** A slot lasts so many milliseconds, about. */
const SLOT_MS = 400;

type Props = {
  readonly kind: FundKind;
  readonly venue: Venue;
  readonly state: MarketState;
  readonly readAt: number;
  readonly owner: Address;
  readonly funds: Funds;
  readonly owned: Owned;
};

/** What the user owns of a fund. */
export type Owned = Countdown & {
  readonly shares: bigint;
  readonly valueAtoms: string;
  readonly requested: bigint;
  readonly requestedAtoms: string;
  /** What the request pays at the least, if nothing changes before it lands. */
  readonly leastAtoms: string;
};

const WORDS: {
  readonly [kind in FundKind]: { title: string; join: string; of: string };
} = {
  pool: { title: 'Your part of the pool', join: 'Put into the pool', of: 'the pool' },
  stakes: { title: 'Your stake', join: 'Stake behind insurance', of: 'the stakes' },
};

export function FundCard({ kind, venue, state, readAt, owner, funds, owned }: Props): ReactNode {
  const { nodes } = useSetup();
  const { sent, busy, run } = useSend();
  const [typed, setTyped] = useState('');
  const decimals = venue.exchange.mintDecimals;
  const dealing: Dealing = { kind, venue, keys: state.keys, owner };
  const words = WORDS[kind];
  const atoms = amountOf(typed, decimals);
  const preview = useJoinPreview(kind, state, readAt, funds, atoms.value);

  const deposit = () =>
    void run(`${words.join} ${typed}`, async () => {
      const amount = atomsOf(typed, decimals);
      const source = (await tokensOf(nodes, venue, owner))[0];
      if (source === undefined) {
        throw new Error('the wallet holds none of the collateral; get some of its mint first');
      }
      const now = await readFunds(nodes.rpc, state.keys.address, owner);
      const fund = kind === 'pool' ? now.pool : now.stakes;
      const missing = {
        stakes: kind === 'stakes' && !('data' in now.stakes.account),
        share: fund === undefined || !('data' in fund.share),
      };
      return join(dealing, missing, source, amount);
    });

  return (
    <section className="card" aria-label={words.title} data-fund={kind}>
      <h3>{words.title}</h3>
      <dl className="figures">
        <Figure label="Shares" id="owned_shares">
          <span className="number">{decimal(owned.shares, 0)}</span>
        </Figure>
        <Figure label="Worth, to leave at once" id="owned_atoms">
          <Amount atoms={owned.valueAtoms} decimals={decimals} />
        </Figure>
      </dl>
      <form className="bar" onSubmit={(event) => (event.preventDefault(), deposit())}>
        <label>
          Amount
          <br />
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            inputMode="decimal"
            autoComplete="off"
          />
        </label>
        <button type="submit" disabled={busy}>
          {words.join}
        </button>
      </form>
      <Problem error={atoms.problem ?? preview.error} />
      {preview.data !== undefined && atoms.value !== undefined && (
        <dl className="figures" data-testid="join-preview">
          <Figure label="It buys shares" id="shares">
            {decimal(preview.data.shares, 0)}
          </Figure>
          <Figure label="Shares then" id="owner_shares_after">
            {decimal(preview.data.owner_shares_after, 0)}
          </Figure>
          <Figure label="Worth then, to leave at once" id="value_after_atoms">
            <Amount atoms={preview.data.value_after_atoms} decimals={decimals} />
          </Figure>
        </dl>
      )}
      {owned.requested === 0n && owned.shares > 0n && (
        <button
          type="button"
          disabled={busy}
          onClick={() =>
            void run(`Asking for all of ${words.of}`, async () => [
              await request(dealing, owned.shares),
            ])
          }
        >
          Ask for all of it back
        </button>
      )}
      {owned.requested > 0n && (
        <Requested
          owned={owned}
          decimals={decimals}
          busy={busy}
          onCancel={() => void run('Request taken back', async () => [await cancel(dealing)])}
          onLeave={() =>
            void run('Payment of the request', async () => {
              const tokens = await tokensOf(nodes, venue, owner);
              return leave(dealing, tokens[0], BigInt(owned.leastAtoms));
            })
          }
        />
      )}
      <SentWords sent={sent} />
    </section>
  );
}

type RequestedProps = {
  readonly owned: Owned;
  readonly decimals: number;
  readonly busy: boolean;
  onCancel(): void;
  onLeave(): void;
};

/** A request for shares: how long it waits, or for how long it is paid. */
function Requested({ owned, decimals, busy, onCancel, onLeave }: RequestedProps): ReactNode {
  const due = owned.due_in_slots;
  return (
    <>
      <p data-testid="request">
        {decimal(owned.requested, 0)} shares are asked for, for at most{' '}
        <Amount atoms={owned.requestedAtoms} decimals={decimals} />; they bear losses until they are
        paid. {owned.lapsed && 'The request has lapsed: ask again.'}
        {due !== null && BigInt(due) > 0n && `It is paid in ${slots(due)}.`}
        {due !== null && BigInt(due) === 0n && (
          <>At most that is paid now, and for {slots(owned.open_for_slots ?? '0')}.</>
        )}
      </p>
      <div className="bar">
        {due !== null && BigInt(due) === 0n && (
          <button type="button" disabled={busy} onClick={onLeave}>
            Withdraw it
          </button>
        )}
        <button type="button" disabled={busy} onClick={onCancel}>
          Take the request back
        </button>
      </div>
    </>
  );
}

/** Slots, and how long that is about. */
function slots(count: string): string {
  const hours = Math.ceil((Number(count) * SLOT_MS) / 3_600_000);
  const about = hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
  return `${decimal(count, 0)} slots, about ${about}`;
}

function amountOf(
  typed: string,
  decimals: number,
): { readonly value?: bigint; readonly problem?: unknown } {
  if (typed.trim() === '') {
    return {};
  }
  try {
    return { value: atomsOf(typed, decimals) };
  } catch (problem) {
    return { problem };
  }
}

/** What a deposit would buy; nothing where stakes have yet to be opened. */
function useJoinPreview(
  kind: FundKind,
  state: MarketState,
  readAt: number,
  funds: Funds,
  atoms: bigint | undefined,
) {
  const market = state.accounts;
  const read = [`${state.keys.address} ${atoms}`, readAt];
  const { pool, stakes } = funds;
  const into =
    pool === undefined || atoms === undefined
      ? undefined
      : { market, pool: pool.account, trader: pool.trader, share: pool.share, atoms };
  const behind =
    !('data' in stakes.account) || atoms === undefined
      ? undefined
      : { market, stakes: stakes.account, share: stakes.share, atoms };
  const inPool = useEngine('previewJoinPool', read, kind === 'pool' ? into : undefined);
  const staked = useEngine('previewJoinStakes', read, kind === 'stakes' ? behind : undefined);
  return kind === 'pool' ? inPool : staked;
}

function tokensOf({ rpc }: Nodes, { exchange }: Venue, owner: Address) {
  return readTokenAccounts(rpc, owner, exchange.collateralMint);
}

/** The funds of a market with what the user owns of them, as the engine values them. */
export function useFunds(state: MarketState, owner: Address | undefined, readAt: number) {
  const { nodes } = useSetup();
  return useQuery({
    queryKey: ['funds', state.keys.address, owner, readAt],
    queryFn: async () => {
      const funds = await readFunds(nodes.rpc, state.keys.address, owner);
      const pool =
        funds.pool &&
        (await ask('pool', {
          market: state.accounts,
          pool: funds.pool.account,
          trader: funds.pool.trader,
          share: funds.pool.share,
        }));
      const { account, share } = funds.stakes;
      const { slot, decimals, market } = state.accounts;
      const stake =
        'data' in account && 'data' in share
          ? await ask('stake', { slot, decimals, market, stakes: account, share })
          : undefined;
      return { funds, pool, stake };
    },
    gcTime: 5_000,
    placeholderData: (previous, query) =>
      query?.queryKey[1] === state.keys.address && query.queryKey[2] === owner
        ? previous
        : undefined,
  });
}
