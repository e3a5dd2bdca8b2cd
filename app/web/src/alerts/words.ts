/** Staged changes in words. */
import type { MarketKeys } from '../chain/accounts';
import type { StagedChange } from '../chain/news';

const CHANGES: { readonly [kind in StagedChange['kind']]?: string } = {
  Risk: 'risk parameters',
  Oracle: 'the price source',
  Pool: 'the pool’s parameters',
  Authority: 'an authority',
  Treasury: 'where fees are paid to',
  Pause: 'a long pause',
  Reopen: 'opening the market again',
};

/** What may change, and from when. */
export function describeStaged(
  { kind, target, etaSlot }: StagedChange,
  markets: readonly MarketKeys[],
): string {
  const market = markets.find((keys) => keys.address === target);
  const of = market === undefined ? 'the exchange' : market.name;
  return `${of}: ${CHANGES[kind] ?? kind} may change from slot ${etaSlot}`;
}
