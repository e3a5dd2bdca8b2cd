/** The place of any address in the queues of a market. */
import { isAddress, type Address } from '@solana/kit';
import { BALLAST_PROGRAM_ADDRESS, type Standing } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import {
  readAccounts,
  readTraders,
  traderState,
  type MarketState,
  type TraderState,
  type Venue,
} from '../chain/accounts';
import type { Nodes } from '../chain/nodes';
import { decimal, grouped } from '../decimal';
import { ask } from '../engine';
import { useSetup } from '../venue';
import { useWallets } from '../wallet';
import { AddressText, Amount, Figure, Light, Problem } from './parts';

type Props = { readonly venue: Venue; readonly state: MarketState; readonly readAt: number };

export function PlaceOf({ venue, state, readAt }: Props): ReactNode {
  const { nodes } = useSetup();
  const { owner } = useWallets();
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState<string>();
  const places = useQuery({
    queryKey: ['place', asked, state.keys.address, readAt],
    queryFn: () => placesOf(nodes, state, asked ?? ''),
    enabled: asked !== undefined,
    gcTime: 5_000,
    retry: false,
    placeholderData: (previous, query) => (query?.queryKey[1] === asked ? previous : undefined),
  });
  return (
    <section aria-label="Place of an address">
      <h2>Where does an address stand?</h2>
      <form
        className="bar"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(typed.trim());
        }}
      >
        <label className="grow">
          Wallet or trader account
          <input
            data-slash="first"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            spellCheck={false}
            autoComplete="off"
          />
        </label>
        <button type="submit">Look up</button>
        {owner !== undefined && (
          <button type="button" onClick={() => (setTyped(owner), setAsked(owner))}>
            My wallet
          </button>
        )}
      </form>
      <Problem error={places.error} />
      {places.data?.map((place) => (
        <PlaceFigures key={place.trader} place={place} decimals={venue.exchange.mintDecimals} />
      ))}
    </section>
  );
}

/** Where the trader accounts of an address stand: it is one of them, or a wallet that owns some. */
async function placesOf({ rpc }: Nodes, state: MarketState, text: string): Promise<Standing[]> {
  if (!isAddress(text)) {
    throw new RangeError(`"${text}" is no address; expected 32 to 44 letters and digits`);
  }
  const traders = await tradersAt(rpc, text);
  const held = ({ trader }: TraderState) =>
    trader.positions.find(({ market, lots }) => market === state.keys.address && lots !== 0n);
  const inMarket = traders.filter((one) => held(one) !== undefined);
  if (inMarket.length === 0) {
    throw new RangeError(
      `${text} has no position in ${state.keys.name}: nobody stands before it, and it is never cut`,
    );
  }
  const isolated = inMarket.filter((one) => held(one)?.cross === 0);
  if (isolated.length === 0) {
    throw new RangeError(
      `${text} has a leg of cross margin in ${state.keys.name}, which ranks by all that its account holds; ` +
        'the places of isolated positions alone are worked out here',
    );
  }
  return Promise.all(
    isolated.map(({ account }) => ask('standing', { market: state.accounts, trader: account })),
  );
}

async function tradersAt(rpc: Nodes['rpc'], address: Address): Promise<TraderState[]> {
  const [account] = (await readAccounts(rpc, [address])).accounts;
  const own =
    account !== undefined &&
    'data' in account &&
    account.programAddress === BALLAST_PROGRAM_ADDRESS;
  return own ? [traderState(account)] : readTraders(rpc, address);
}

/** The place in figures. */
export function PlaceFigures({
  place,
  decimals,
}: {
  readonly place: Standing;
  readonly decimals: number;
}): ReactNode {
  return (
    <div className="card" data-place={place.trader}>
      <p>
        <AddressText address={place.trader} />, {place.side} {grouped(place.size.replace('-', ''))}:{' '}
        <PlaceWords place={place} />
      </p>
      <dl className="figures">
        <Figure label="Light" id="light">
          <Light light={place.light} />
        </Figure>
        <Figure label="Place" id="rank">
          {decimal(place.rank, 0)} of {decimal(place.queue_eligible, 0)} who can be cut
        </Figure>
        <Figure label="Notional before it" id="notional_ahead">
          <Amount atoms={place.notional_ahead_atoms} decimals={decimals} />
        </Figure>
        <Figure label="First in line at" id="first_in_line">
          {place.first_in_line_price === null ? 'no mark' : grouped(place.first_in_line_price)}
        </Figure>
      </dl>
    </div>
  );
}

function PlaceWords({ place }: { readonly place: Standing }): ReactNode {
  switch (place.class) {
    case 'insolvent':
      return 'cannot be cut at this mark: it has no equity left.';
    case 'other':
      return 'is cut only after every winner of its side.';
    default:
      return place.rank === 1
        ? 'is the first to be cut.'
        : `${decimal(place.rank - 1, 0)} stand before it.`;
  }
}
