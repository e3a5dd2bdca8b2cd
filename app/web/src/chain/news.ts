/** What others did to trader accounts, and what authorities are about to change. */
import {
  getBase58Decoder,
  getBase64Encoder,
  type Address,
  type Base58EncodedBytes,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
} from '@solana/kit';
import {
  BALLAST_PROGRAM_ADDRESS,
  getChangeDecoder,
  getStagedDecoder,
  STAGED_DISCRIMINATOR,
  type Change,
} from 'ballast-client';

import { readTransaction, type Happened } from './history';

/** Newest transactions that are looked at in one look. */
const MOST = 25;

/** The newest transaction of an account. */
export async function newestOf(
  rpc: Rpc<SolanaRpcApi>,
  account: Address,
): Promise<Signature | undefined> {
  const config = { commitment: 'confirmed', limit: 1 } as const;
  const [newest] = await rpc.getSignaturesForAddress(account, config).send();
  return newest?.signature;
}

/** What an account took part in after a transaction, the oldest first; `undefined` is the beginning. */
export async function readSince(
  rpc: Rpc<SolanaRpcApi>,
  account: Address,
  until: Signature | undefined,
): Promise<Happened[]> {
  const config = {
    commitment: 'confirmed',
    limit: MOST,
    ...(until === undefined ? {} : { until }),
  } as const;
  const listed = await rpc.getSignaturesForAddress(account, config).send();
  const good = listed.filter((one) => one.err === null).reverse();
  return Promise.all(good.map(({ signature }) => readTransaction(rpc, signature)));
}

/** A change that an authority has staged. */
export type StagedChange = {
  readonly address: Address;
  readonly kind: Change['__kind'];
  /** What it changes: a market, or the exchange. */
  readonly target: Address;
  readonly etaSlot: bigint;
};

/** Everything that is staged. */
export async function readStaged(rpc: Rpc<SolanaRpcApi>): Promise<StagedChange[]> {
  const bytes = getBase58Decoder().decode(STAGED_DISCRIMINATOR) as Base58EncodedBytes;
  const found = await rpc
    .getProgramAccounts(BALLAST_PROGRAM_ADDRESS, {
      commitment: 'confirmed',
      encoding: 'base64',
      filters: [{ memcmp: { offset: 0n, bytes, encoding: 'base58' } }],
    })
    .send();
  return found.map(({ pubkey, account }) => {
    const staged = getStagedDecoder().decode(getBase64Encoder().encode(account.data[0]));
    const { __kind: kind } = getChangeDecoder().decode(staged.payload);
    return { address: pubkey, kind, target: staged.target, etaSlot: staged.etaSlot };
  });
}
