/** The board of cross margin, where the marks of all cross markets stand. */
import {
  getAddressDecoder,
  getProgramDerivedAddress,
  type Address,
  type ReadonlyUint8Array,
} from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS, type Market } from './generated';

/** Where the board's markets begin: behind the discriminator, the version and its padding. */
const MARKETS_OFFSET = 16;
/** What a market takes there: its queues of longs and of shorts first. */
const MARKET_BYTES = 80;
const ADDRESS_BYTES = 32;

/** Where the board is; it exists once a market has cross margin. */
export async function findBoardAddress(): Promise<Address> {
  const [found] = await getProgramDerivedAddress({
    programAddress: BALLAST_PROGRAM_ADDRESS,
    seeds: ['board'],
  });
  return found;
}

/** The cross queue in which the legs of a side stand in a market, of the data of the board. */
export function crossQueueOf(
  board: ReadonlyUint8Array,
  market: Pick<Market, 'cross'>,
  side: 'long' | 'short',
): Address {
  if (market.cross === 0) {
    throw new RangeError('the market has no cross margin; its positions are isolated');
  }
  const place = MARKETS_OFFSET + (market.cross - 1) * MARKET_BYTES;
  return getAddressDecoder().decode(board, side === 'long' ? place : place + ADDRESS_BYTES);
}
