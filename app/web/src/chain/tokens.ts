/** Collateral in the owner's wallet. */
import {
  getU64Decoder,
  getBase64Encoder,
  type Address,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';

/** Where a token account's balance stands, in both token programs. */
const AMOUNT_AT = 64;

/** A token account of the collateral. */
export type TokenAccount = {
  readonly address: Address;
  readonly program: Address;
  readonly atoms: bigint;
};

/** The owner's token accounts of a mint, the fullest first. */
export async function readTokenAccounts(
  rpc: Rpc<SolanaRpcApi>,
  owner: Address,
  mint: Address,
): Promise<TokenAccount[]> {
  const config = { commitment: 'confirmed', encoding: 'base64' } as const;
  const { value } = await rpc.getTokenAccountsByOwner(owner, { mint }, config).send();
  const found = value.map(({ account, pubkey }) => ({
    address: pubkey,
    program: account.owner,
    atoms: getU64Decoder().decode(getBase64Encoder().encode(account.data[0]), AMOUNT_AT),
  }));
  return found.sort((one, other) => (one.atoms > other.atoms ? -1 : 1));
}
