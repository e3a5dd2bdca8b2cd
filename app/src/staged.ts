/** Where changes that wait are staged. */
import { getAddressEncoder, getProgramDerivedAddress, type Address } from '@solana/kit';

import { BALLAST_PROGRAM_ADDRESS } from './generated';

/** The account of a staged change: its kind's number, and what it changes. */
export async function findStagedAddress(kind: number, target: Address): Promise<Address> {
  const [found] = await getProgramDerivedAddress({
    programAddress: BALLAST_PROGRAM_ADDRESS,
    seeds: ['staged', new Uint8Array([kind]), getAddressEncoder().encode(target)],
  });
  return found;
}
