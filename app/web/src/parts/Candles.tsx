/** Prices of fills from the gateway, with the marks at which something happens to the user's position. */
import type { Position, Standing } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import type { MarketKeys } from '../chain/accounts';
import type { Candle, Gateway } from '../chain/gateway';
import { grouped } from '../decimal';
import { Problem, ReadAge } from './parts';

const LENGTHS: readonly (readonly [number, string])[] = [
  [60, '1 min'],
  [300, '5 min'],
  [900, '15 min'],
  [3_600, '1 h'],
  [14_400, '4 h'],
  [86_400, '1 day'],
];
const SHOWN = 60;
const READ_EVERY_MS = 5_000;
/** The picture's own units. */
const [WIDTH, HEIGHT, PAD] = [600, 220, 8];

/** A mark that matters to the user. */
export type Level = { readonly label: string; readonly price: string };

/** Where a position was entered, and the marks at which something happens to it. */
export function levelsOf(
  position: Position | undefined,
  standing: Standing | undefined,
): readonly Level[] {
  const found: readonly (readonly [string, string | null | undefined])[] = [
    ['entered at', position?.entry_price],
    ['liquidated from', position?.liquidation_price],
    ['bankrupt from', position?.bankruptcy_price],
    ['first in line at', standing?.first_in_line_price],
  ];
  return found.flatMap(([label, price]) => (price == null ? [] : [{ label, price }]));
}

type Props = {
  readonly gateway: Gateway;
  readonly keys: MarketKeys;
  readonly levels: readonly Level[];
};

export function Candles({ gateway, keys, levels }: Props): ReactNode {
  const [seconds, setSeconds] = useState(60);
  const candles = useQuery({
    queryKey: ['candles', keys.index, seconds],
    queryFn: () => gateway.candles(keys.index, seconds, SHOWN),
    refetchInterval: READ_EVERY_MS,
  });
  return (
    <section aria-label="Candles" data-testid="candles">
      <div className="bar">
        <label>
          Candles of{' '}
          <select value={seconds} onChange={(event) => setSeconds(Number(event.target.value))}>
            {LENGTHS.map(([length, name]) => (
              <option key={length} value={length}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <ReadAge of={candles} />
        <span className="muted">from the gateway</span>
      </div>
      <Problem error={candles.error} />
      {candles.data !== undefined && <Chart candles={candles.data} levels={levels} />}
      {candles.data?.length === 0 && <p className="muted">Nobody has traded lately.</p>}
      {levels.length > 0 && (
        <ul className="levels">
          {levels.map(({ label, price }) => (
            <li key={label}>
              {label} <span className="number">{grouped(price)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

type ChartProps = { readonly candles: readonly Candle[]; readonly levels: readonly Level[] };

/** Lengths on a screen, not money: here numbers may be floats. */
function Chart({ candles, levels }: ChartProps): ReactNode {
  if (candles.length === 0) {
    return null;
  }
  const [low, high] = [
    Math.min(...candles.map((one) => Number(one.low))),
    Math.max(...candles.map((one) => Number(one.high))),
  ];
  const margin = Math.max((high - low) / 4, high / 1_000);
  const [bottom, top] = [low - margin, high + margin];
  const y = (price: number) => PAD + ((top - price) / (top - bottom || 1)) * (HEIGHT - 2 * PAD);
  const step = WIDTH / SHOWN;
  const last = candles.at(-1);
  const said = `Prices from ${low} to ${high}, the last ${last?.close ?? ''}`;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={said} className="candles">
      {candles.map((one, index) => {
        const x = WIDTH - (candles.length - index - 0.5) * step;
        const [open, close] = [y(Number(one.open)), y(Number(one.close))];
        return (
          <g key={one.time} className={close <= open ? 'up' : 'down'} data-candle={one.time}>
            <line x1={x} x2={x} y1={y(Number(one.high))} y2={y(Number(one.low))} />
            <rect
              x={x - step / 3}
              width={(2 * step) / 3}
              y={Math.min(open, close)}
              height={Math.max(1, Math.abs(open - close))}
            />
          </g>
        );
      })}
      {levels
        .map(({ label, price }) => [label, Number(price)] as const)
        .filter(([, price]) => price > bottom && price < top)
        .map(([label, price]) => (
          <g key={label} className="level" data-level={label}>
            <line x1={0} x2={WIDTH} y1={y(price)} y2={y(price)} />
            <text x={4} y={y(price) - 3}>
              {label}
            </text>
          </g>
        ))}
    </svg>
  );
}
