/** How much waits in the book at each price. */
import { decimalOf, type BookOrder } from 'ballast-client';
import type { ReactNode } from 'react';

import type { MarketState } from '../chain/accounts';
import { grouped } from '../decimal';

/** Prices shown of each side. */
const LEVELS = 10;

type Level = { readonly ticks: bigint; readonly lots: bigint; readonly ahead: bigint };

export function Depth({ state }: { readonly state: MarketState }): ReactNode {
  const { units } = state.keys;
  const asks = levelsOf(state.orders.asks, units.atomsPerLotTick);
  const bids = levelsOf(state.orders.bids, units.atomsPerLotTick);
  const most = [...asks, ...bids].reduce((max, { ahead }) => (ahead > max ? ahead : max), 1n);
  const row = (side: string) => (level: Level) => (
    <tr key={`${side}${level.ticks}`} data-side={side}>
      <td>{side}</td>
      <td className="number">{grouped(decimalOf(level.ticks, units.tickNano))}</td>
      <td className="number">{grouped(decimalOf(level.lots, units.lotNano))}</td>
      <td className="number plotted">
        <i
          aria-hidden="true"
          className={`depth-${side}`}
          style={{ width: `${Number((level.ahead * 100n) / most)}%` }}
        />
        {grouped(decimalOf(level.ahead, units.lotNano))}
      </td>
    </tr>
  );
  return (
    <table className="depth">
      <thead>
        <tr>
          <th scope="col">Side</th>
          <th scope="col">Price</th>
          <th scope="col">Size</th>
          <th scope="col">Size up to here</th>
        </tr>
      </thead>
      <tbody>
        {[...asks].reverse().map(row('ask'))}
        {bids.map(row('bid'))}
      </tbody>
    </table>
  );
}

/** The best prices of a side, each with all that stands there and before it. */
export function levelsOf(orders: readonly BookOrder[], atomsPerLotTick: bigint): Level[] {
  const levels = new Map<bigint, bigint>();
  for (const { price, lots } of orders) {
    const ticks = BigInt(price) / atomsPerLotTick;
    levels.set(ticks, (levels.get(ticks) ?? 0n) + BigInt(lots));
  }
  let ahead = 0n;
  return [...levels]
    .slice(0, LEVELS)
    .map(([ticks, lots]) => ({ ticks, lots, ahead: (ahead += lots) }));
}
