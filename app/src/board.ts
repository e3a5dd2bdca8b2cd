/** The board of cross margin, where the marks of all cross markets stand. */
import { getProgramDerivedAddress, type Address } from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS } from './generated';

/** Where the board is; it exists once a market has cross margin. */
export async function findBoardAddress(): Promise<Address> {
  const [found] = await getProgramDerivedAddress({
    programAddress: BALLAST_PROGRAM_ADDRESS,
    seeds: ['board'],
  });
  return found;
}
