/** The trader's orders that wait in the book. */
import { type Address } from '@solana/kit';
import { decimalOf, type BookOrder } from 'ballast-client';
import type { ReactNode } from 'react';

import type { MarketState, TraderState } from '../chain/accounts';
import { cancelOrder } from '../chain/actions';
import { grouped } from '../decimal';
import { SentWords, useSend } from '../sending';
import { Amount } from './parts';

type Props = {
  readonly state: MarketState;
  readonly trader: TraderState;
  readonly owner: Address;
  readonly decimals: number;
};

export function OwnOrders({ state, trader, owner, decimals }: Props): ReactNode {
  const { sent, run } = useSend();
  const { keys, orders } = state;
  const own = [...orders.asks, ...orders.bids].filter(
    (order) => order.trader === trader.account.address,
  );
  const price = (order: BookOrder) =>
    grouped(decimalOf(BigInt(order.price) / keys.units.atomsPerLotTick, keys.units.tickNano));
  return (
    <section aria-label="Your orders">
      <h2>Your orders in the book</h2>
      <SentWords sent={sent} />
      {own.length === 0 ? (
        <p className="muted">None waits.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label="Your orders, one a row">
          <table>
            <thead>
              <tr>
                <th scope="col">Side</th>
                <th scope="col">Price</th>
                <th scope="col">Size</th>
                <th scope="col">Reserved</th>
                <th scope="col">
                  <span className="muted">Cancel</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {own.map((order) => (
                <tr key={String(order.sequence)} data-order={String(order.sequence)}>
                  <td>{order.side === 0 ? 'buy' : 'sell'}</td>
                  <td className="number">{price(order)}</td>
                  <td className="number">
                    {grouped(decimalOf(BigInt(order.lots), keys.units.lotNano))}
                  </td>
                  <td>
                    <Amount atoms={order.margin} decimals={decimals} />
                  </td>
                  <td>
                    <button
                      type="button"
                      onClick={() =>
                        void run(`Cancelling order ${order.sequence}`, async () => [
                          cancelOrder(keys, owner, trader.account.address, order.sequence),
                        ])
                      }
                    >
                      Cancel {order.side === 0 ? 'buy' : 'sell'} at {price(order)}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
