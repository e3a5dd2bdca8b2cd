/** What the owner of the connected wallet holds. */
import type { Position } from 'ballast-client';
import type { ReactNode } from 'react';

import type { MarketState, TraderState, Venue } from '../chain/accounts';
import { useEngine } from '../engine/useEngine';
import { Collateral } from '../parts/Collateral';
import { CrossAccount } from '../parts/CrossAccount';
import { AddressText, Amount, Figure, Problem, ReadAge } from '../parts/parts';
import { PositionCard } from '../parts/PositionCard';
import { SentWords, useSend, type Sending } from '../sending';
import { useMarkets, useTraders } from '../venue';
import { useWallets } from '../wallet';

type Props = { readonly venue: Venue };

export function PositionsPage({ venue }: Props): ReactNode {
  const { owner } = useWallets();
  const traders = useTraders(owner);
  // What the first deposit came to is told beside the account that it opened.
  const first = useSend();
  if (owner === undefined) {
    return <p>Connect a wallet to see what it holds here. Reading needs no signature.</p>;
  }
  return (
    <>
      <div className="bar">
        <span>
          Wallet <AddressText address={owner} />
        </span>
        <ReadAge of={traders} />
      </div>
      <Problem error={traders.error} />
      {traders.data?.map((one) => (
        <TraderAccount
          key={one.account.address}
          venue={venue}
          state={one}
          sending={one.trader.subId === 0 ? first : undefined}
        />
      ))}
      {traders.data?.length === 0 && <Collateral venue={venue} state={undefined} sending={first} />}
    </>
  );
}

type TraderProps = { readonly venue: Venue; readonly state: TraderState };
type AccountProps = TraderProps & { readonly sending: Sending | undefined };

function TraderAccount({ venue, state, sending }: AccountProps): ReactNode {
  const own = useSend();
  const closing = useSend();
  const slots = state.trader.positions;
  const markets = useMarkets(
    venue,
    venue.markets.filter((keys) => slots.some((slot) => slot.market === keys.address)),
  );
  const all = markets.states;
  const holdings = useEngine(
    'positions',
    [state.account.address, markets.readAt, hash(state)],
    all && {
      trader: state.account,
      decimals: venue.exchange.mintDecimals,
      markets: all.map((one) => one.accounts),
    },
  );
  const decimals = venue.exchange.mintDecimals;
  return (
    <section
      aria-label={`Trader account ${state.trader.subId}`}
      data-trader={state.account.address}
    >
      <h2>
        Trader account {state.trader.subId} <AddressText address={state.account.address} />
      </h2>
      <Problem error={markets.error ?? holdings.error} />
      {holdings.data !== undefined && (
        <dl className="figures">
          <Figure label="Free collateral" id="free_atoms">
            <Amount atoms={holdings.data.free_atoms} decimals={decimals} />
          </Figure>
          <Figure label="Worth if all closed at the mark" id="total_atoms">
            <Amount atoms={holdings.data.total_atoms} decimals={decimals} />
          </Figure>
        </dl>
      )}
      <Collateral venue={venue} state={state} sending={sending ?? own} />
      {(state.trader.crossLegs > 0 || state.trader.crossPool !== 0n) && (
        <CrossAccount venue={venue} state={state} states={all} readAt={markets.readAt} />
      )}
      <SentWords sent={closing.sent} />
      {holdings.data?.positions.map((position) => (
        <Held
          key={position.market_index}
          position={position}
          venue={venue}
          state={state}
          states={all ?? []}
          closing={closing}
        />
      ))}
      {holdings.data?.positions.length === 0 && (
        <p className="muted">
          {state.trader.crossLegs > 0 ? 'No isolated position' : 'No position'} and no order.
        </p>
      )}
    </section>
  );
}

type HeldProps = TraderProps & {
  readonly position: Position;
  readonly states: readonly MarketState[];
  readonly closing: Sending;
};

function Held({ position, venue, state, states, closing }: HeldProps): ReactNode {
  const market = states.find((one) => one.keys.index === position.market_index);
  return market === undefined ? null : (
    <PositionCard
      position={position}
      venue={venue}
      state={state}
      market={market}
      closing={closing}
    />
  );
}

/** Tells states of a trader account apart. */
function hash({ account }: TraderState): string {
  return account.data.join();
}
