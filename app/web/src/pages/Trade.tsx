/** The book of a market, an order with what it would do, and the trader's own orders. */
import { useState, type ReactNode } from 'react';

import type { MarketKeys, Venue } from '../chain/accounts';
import { useEngine } from '../engine/useEngine';
import { Candles, levelsOf } from '../parts/Candles';
import { Depth } from '../parts/Depth';
import { Mark } from '../parts/Mark';
import { MarketChoice } from '../parts/MarketChoice';
import { OrderForm } from '../parts/OrderForm';
import { OwnOrders } from '../parts/OwnOrders';
import { Problem, ReadAge } from '../parts/parts';
import { useGateway, useMarket, useMarkets, useTraders } from '../venue';
import { useWallets } from '../wallet';

type Props = { readonly venue: Venue; readonly keys: MarketKeys };

export function TradePage({ venue, keys }: Props): ReactNode {
  const { owner } = useWallets();
  const market = useMarket(venue, keys);
  const traders = useTraders(owner);
  const [account, setAccount] = useState(0);
  const state = market.data;
  const trader = traders.data?.[account] ?? traders.data?.[0];
  const gateway = useGateway();
  const holds = trader?.trader.positions.some(
    (slot) => slot.market === keys.address && slot.lots !== 0n,
  );
  const slots = holds === true && gateway !== undefined ? trader?.trader.positions : undefined;
  // A trader account is valued with every market that it is in.
  const markets = useMarkets(
    venue,
    venue.markets.filter((one) => slots?.some((slot) => slot.market === one.address)),
  );
  const own =
    slots !== undefined && state !== undefined && trader !== undefined
      ? { market: state.accounts, trader: trader.account }
      : undefined;
  const read = [`${keys.address} ${trader?.account.address}`, market.dataUpdatedAt];
  const holdings = useEngine(
    'positions',
    read,
    own &&
      markets.states && {
        trader: own.trader,
        decimals: own.market.decimals,
        markets: markets.states.map(({ accounts }) => accounts),
      },
  );
  const standing = useEngine('standing', read, own);
  const queue = useEngine(
    'queue',
    [keys.address, market.dataUpdatedAt, 1],
    state && { market: state.accounts, top: 1 },
  );
  return (
    <>
      <div className="bar">
        <MarketChoice venue={venue} keys={keys} page="trade" />
        {(traders.data?.length ?? 0) > 1 && (
          <label>
            Trader account{' '}
            <select value={account} onChange={(event) => setAccount(Number(event.target.value))}>
              {traders.data?.map((one, index) => (
                <option key={one.account.address} value={index}>
                  {one.trader.subId}
                </option>
              ))}
            </select>
          </label>
        )}
        <ReadAge of={market} />
      </div>
      <Problem error={market.error ?? traders.error ?? queue.error} />
      {queue.data !== undefined && <Mark answer={queue.data} />}
      {gateway !== undefined && (
        <Candles
          gateway={gateway}
          keys={keys}
          levels={levelsOf(
            holdings.data?.positions.find(({ market_index: index }) => index === keys.index),
            standing.data,
          )}
        />
      )}
      {state !== undefined && (
        <div className="columns">
          <section aria-label="Order">
            <h2>Order</h2>
            {owner === undefined && <p>Connect a wallet to trade. Looking needs none.</p>}
            {owner !== undefined && traders.data?.length === 0 && (
              <p>
                This wallet has no trader account yet: <a href="#/positions">deposit first</a>.
              </p>
            )}
            {owner !== undefined && trader !== undefined && (
              <OrderForm
                key={keys.address}
                venue={venue}
                state={state}
                trader={trader}
                owner={owner}
                readAt={market.dataUpdatedAt}
              />
            )}
          </section>
          <section aria-label="Book">
            <h2>Book</h2>
            <Depth state={state} />
          </section>
        </div>
      )}
      {state !== undefined && owner !== undefined && trader !== undefined && (
        <OwnOrders
          state={state}
          trader={trader}
          owner={owner}
          decimals={venue.exchange.mintDecimals}
        />
      )}
    </>
  );
}
