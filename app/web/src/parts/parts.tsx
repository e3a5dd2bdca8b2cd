/** Small pieces that all pages share. */
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';

import { age, decimal, shortAddress, type Whole } from '../decimal';

/** How old an answer may be before the page says that it is, seconds. */
const STALE_SECONDS = 15;
const LIGHTS = [1, 2, 3, 4, 5] as const;

/** The seconds since a moment, counted on. */
export function useSecondsSince(moment: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(clock);
  }, []);
  return Math.max(0, Math.floor((now - moment) / 1_000));
}

/** When a figure was read, and a warning once that is long ago. */
export function ReadAge({
  of,
}: {
  readonly of: Pick<UseQueryResult, 'dataUpdatedAt' | 'error'>;
}): ReactNode {
  const seconds = useSecondsSince(of.dataUpdatedAt);
  const stale = seconds > STALE_SECONDS;
  return (
    <span className={stale ? 'age stale' : 'age'} data-testid="age">
      {stale ? `⚠ old: read ${age(seconds)} ago` : `read ${age(seconds)} ago`}
    </span>
  );
}

/** A place among the winners: number, bars and colour say the same. */
export function Light({ light }: { readonly light: number | null }): ReactNode {
  if (light === null) {
    return <span className="muted">none</span>;
  }
  return (
    <span className={`light light-${light}`} role="img" aria-label={`light ${light} of 5`}>
      <span className="bars" aria-hidden="true">
        {LIGHTS.map((bar) => (
          <i key={bar} className={bar <= light ? 'on' : 'off'} />
        ))}
      </span>
      {light}
    </span>
  );
}

/** An amount of the quote currency. */
export function Amount({
  atoms,
  decimals,
}: {
  readonly atoms: Whole;
  readonly decimals: number;
}): ReactNode {
  const negative = BigInt(atoms) < 0n;
  return (
    <span className={negative ? 'number negative' : 'number'}>{decimal(atoms, decimals)}</span>
  );
}

/** An address: its ends to read, the whole of it to hover, select and copy. */
export function AddressText({ address }: { readonly address: string }): ReactNode {
  return (
    <code title={address} data-address={address}>
      {shortAddress(address)}
    </code>
  );
}

/** What went wrong, in a sentence. */
export function Problem({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) {
    return null;
  }
  return (
    <p role="alert" className="problem">
      {error instanceof Error ? error.message : String(error)}
    </p>
  );
}

/** A term and its figure. */
export function Figure({
  label,
  children,
  id,
}: {
  readonly label: string;
  readonly children: ReactNode;
  readonly id?: string;
}): ReactNode {
  return (
    <div className="figure" data-figure={id}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
