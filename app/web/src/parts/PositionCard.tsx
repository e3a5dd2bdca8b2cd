/** A position: how it stands, who stands before it, and what its owner can do. */
import type { Position } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { MarketState, TraderState, Venue } from '../chain/accounts';
import { closingOrder, prepareOrder } from '../chain/actions';
import { decimal, grouped, percentOrNone, priceOrNone } from '../decimal';
import { useEngine } from '../engine/useEngine';
import type { Sending } from '../sending';
import { link } from '../route';
import { isLarge, useGateway, useSetup } from '../venue';
import { useWallets } from '../wallet';
import { Forecast } from './Forecast';
import { Mark } from './Mark';
import { Amount, Figure, Light, Problem } from './parts';
import { PlaceFigures } from './PlaceOf';
import { Protection } from './Protection';
import { Triggers } from './Triggers';

type Props = {
  readonly position: Position;
  readonly venue: Venue;
  readonly state: TraderState;
  readonly market: MarketState;
  /** Told beside the account: a closed position has no card any more. */
  readonly closing: Sending;
};

const HEALTH: { readonly [health in Position['health']]: string } = {
  healthy: 'healthy',
  below_maintenance: 'below maintenance: it may be liquidated',
  bankrupt: 'bankrupt: it is being closed',
};

export function PositionCard({ position, venue, state, market, closing }: Props): ReactNode {
  const { owner } = useWallets();
  const { nodes } = useSetup();
  const decimals = venue.exchange.mintDecimals;
  const amount = (atoms: string) => <Amount atoms={atoms} decimals={decimals} />;
  const open = BigInt(position.lots) !== 0n;
  const close = () =>
    void closing.run(
      `Closing ${grouped(position.size.replace('-', ''))} of ${position.market}`,
      async () => {
        if (owner === undefined) {
          throw new Error('no wallet is connected; connect one first');
        }
        const order = closingOrder(BigInt(position.lots));
        const prepared = await prepareOrder(nodes, owner, market, state.account, order);
        return [prepared.instruction];
      },
    );
  return (
    <article className="card" data-position={position.market_index}>
      <h3>
        {position.market}:{' '}
        {open ? `${position.side} ${grouped(position.size.replace('-', ''))}` : 'no position'}
      </h3>
      <Mark answer={position} />
      {open && (
        <>
          <dl className="figures">
            <Figure label="Light" id="light">
              <Light light={position.light} />
            </Figure>
            <Figure label="Profit" id="pnl_atoms">
              {amount(position.pnl_atoms)}
            </Figure>
            <Figure label="Equity" id="equity_atoms">
              {amount(position.equity_atoms)}
            </Figure>
            <Figure label="Margin" id="margin_atoms">
              {amount(position.margin_atoms)}
            </Figure>
            <Figure label="Notional" id="notional_atoms">
              {amount(position.notional_atoms)}
            </Figure>
            <Figure label="Maintenance margin" id="maintenance_atoms">
              {amount(position.maintenance_atoms)}
            </Figure>
            <Figure label="Margin ratio" id="margin_ratio_bps">
              {percentOrNone(position.margin_ratio_bps)}
            </Figure>
            <Figure label="Leverage" id="leverage_hundredths">
              {position.leverage_hundredths === null
                ? 'none'
                : `${decimal(position.leverage_hundredths, 2)}×`}
            </Figure>
            <Figure label="Entered at" id="entry_price">
              {priceOrNone(position.entry_price)}
            </Figure>
            <Figure label="Liquidated from" id="liquidation_price">
              {priceOrNone(position.liquidation_price)}
            </Figure>
            <Figure label="Bankrupt from" id="bankruptcy_price">
              {priceOrNone(position.bankruptcy_price)}
            </Figure>
            <Figure label="Health" id="health">
              {HEALTH[position.health]}
            </Figure>
          </dl>
          <Before state={state} market={market} decimals={decimals} />
          <Forecast
            market={market.keys}
            trader={state.account.address}
            decimals={decimals}
          />
        </>
      )}
      <dl className="figures">
        <Figure label="Orders in the book" id="orders">
          {position.orders}
        </Figure>
        <Figure label="Reserved for them" id="order_margin_atoms">
          {amount(position.order_margin_atoms)}
        </Figure>
        <Figure label="Profit held" id="held_atoms">
          {amount(position.held_atoms)}
        </Figure>
      </dl>
      <div className="bar">
        {open && (
          <button type="button" className="primary" onClick={close}>
            Close at the market
          </button>
        )}
        <a href={link('trade', position.market_index)}>Trade {position.market}</a>
      </div>
      {open && <Triggers position={position} state={state} market={market} />}
      {open && <Protection state={state} market={market} />}
    </article>
  );
}

/** How often a place in a large queue is asked for, milliseconds. */
const PLACE_EVERY_MS = 3_000;

/**
 * Who is cut before it. A large queue is not read again by itself: there the gateway, where there is one, says where
 * the position stands now.
 */
function Before({
  state,
  market,
  decimals,
}: {
  readonly state: TraderState;
  readonly market: MarketState;
  readonly decimals: number;
}): ReactNode {
  const read = [state.account.address, market.keys.address, String(market.accounts.slot)];
  const standing = useEngine('standing', read, { market: market.accounts, trader: state.account });
  const gateway = useGateway();
  const { address } = state.account;
  const told = useQuery({
    queryKey: ['gateway-place', market.keys.address, address],
    queryFn: () => gateway?.place(market.keys.index, address),
    enabled: gateway !== undefined && isLarge(market),
    refetchInterval: PLACE_EVERY_MS,
    retry: false,
  });
  const place = told.data ?? standing.data;
  return (
    <>
      <Problem error={standing.error} />
      {place !== undefined && <PlaceFigures place={place} decimals={decimals} />}
      {told.data !== undefined && (
        <p className="muted" data-testid="place-of-gateway">
          Where it stands comes from the gateway, at {grouped(told.data.mark)}: this queue is large.
        </p>
      )}
    </>
  );
}
