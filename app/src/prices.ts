/** Where a market's price is read, and what its ticks and lots are. */
import {
  address,
  getProgramDerivedAddress,
  type Address,
  type ReadonlyUint8Array,
} from '@solana/kit';

import type { Market } from './generated';

/** The program that keeps a price account for every feed of Pyth. */
export const PYTH_PUSH_ORACLE_ADDRESS: Address = address(
  'pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT',
);

/** `oracle.kind` of a market that reads the one account it names. */
export const ORACLE_KIND_PUSH = 1;

/** Decimals in which ticks and lots are stated. */
const NANO_DECIMALS = 9;

/** The account that Pyth's push oracle keeps current for a feed; shard 0 is kept for everybody. */
export async function findPriceFeedAddress(
  feedId: ReadonlyUint8Array | readonly number[],
  shard = 0,
): Promise<Address> {
  const seeds = [new Uint8Array([shard & 0xff, shard >> 8]), new Uint8Array(feedId)];
  const [found] = await getProgramDerivedAddress({
    programAddress: PYTH_PUSH_ORACLE_ADDRESS,
    seeds,
  });
  return found;
}

/** The price account that instructions of a market are given, unless a newer update is at hand. */
export async function findPriceAddress(market: Pick<Market, 'oracle'>): Promise<Address> {
  const { oracle } = market;
  return oracle.kind === ORACLE_KIND_PUSH
    ? oracle.pushAccount
    : findPriceFeedAddress(oracle.feedId);
}

/** A price in ticks, or a size in lots, as an exact decimal number. */
export function decimalOf(count: bigint, unitNano: bigint): string {
  const digits = (count * unitNano).toString().padStart(NANO_DECIMALS + 1, '0');
  const whole = digits.slice(0, -NANO_DECIMALS);
  const fraction = digits.slice(-NANO_DECIMALS).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/**
 * The ticks of a price, or the lots of a size, in a decimal number such as `188.25`. Throws where it
 * lies between two of them: nothing is rounded.
 */
export function unitsOf(decimal: string, unitNano: bigint): bigint {
  const found = /^(\d+)(?:\.(\d{1,9}))?$/.exec(decimal);
  if (found === null) {
    throw new RangeError(`${decimal} is not a decimal number with at most nine decimals`);
  }
  const [, whole = '', fraction = ''] = found;
  const nano = BigInt(whole + fraction.padEnd(NANO_DECIMALS, '0'));
  if (nano % unitNano !== 0n) {
    throw new RangeError(`${decimal} is not a multiple of ${decimalOf(1n, unitNano)}`);
  }
  return nano / unitNano;
}
