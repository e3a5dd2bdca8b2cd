/** A market's pool and its stakes: their accounts, and what an owner of shares does. */
import {
  createNoopSigner,
  type Address,
  type Instruction,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  TOKEN_PROGRAM_ADDRESS,
} from '@solana-program/token';
import {
  findInsuranceVaultPda,
  findPoolPda,
  findPoolTraderPda,
  findSharePda,
  findStakesPda,
  getCancelPoolRequestInstruction,
  getCancelUnstakeInstruction,
  getCreateShareInstruction,
  getDepositPoolInstruction,
  getOpenStakesInstruction,
  getRequestPoolInstruction,
  getRequestUnstakeInstruction,
  getStakeInstruction,
  getUnstakeInstruction,
  getWithdrawPoolInstruction,
  type MaybeRawAccount,
  type RawAccount,
} from 'ballast-client';

import { readAccounts, type MarketKeys, type Venue } from './accounts';
import type { TokenAccount } from './tokens';

/** What takes deposits for shares: a backstop pool, or the stakes behind insurance. */
export type FundKind = 'pool' | 'stakes';

/** The funds of a market, and somebody's shares of them. */
export type Funds = {
  /** Undefined where the market has no pool. */
  readonly pool:
    | { readonly account: RawAccount; readonly trader: RawAccount; readonly share: MaybeRawAccount }
    | undefined;
  /** Missing until somebody opens them. */
  readonly stakes: { readonly account: MaybeRawAccount; readonly share: MaybeRawAccount };
};

/** Reads them; without an owner there are no shares. */
export async function readFunds(
  rpc: Rpc<SolanaRpcApi>,
  market: Address,
  owner: Address | undefined,
): Promise<Funds> {
  const [[pool], [stakes]] = await Promise.all([
    findPoolPda({ market }),
    findStakesPda({ market }),
  ]);
  const [trader] = await findPoolTraderPda({ pool });
  const shares = await Promise.all(
    (owner === undefined ? [] : [pool, stakes]).map(
      async (fund) => (await findSharePda({ fund, owner: owner as Address }))[0],
    ),
  );
  const { accounts } = await readAccounts(rpc, [pool, trader, stakes, ...shares]);
  const none = (address: Address) => ({ address, exists: false }) as const;
  const [poolAccount, poolTrader, stakesAccount] = accounts;
  const there =
    poolAccount !== undefined &&
    poolTrader !== undefined &&
    'data' in poolAccount &&
    'data' in poolTrader;
  return {
    pool: there
      ? { account: poolAccount, trader: poolTrader, share: accounts[3] ?? none(pool) }
      : undefined,
    stakes: { account: stakesAccount ?? none(stakes), share: accounts[4] ?? none(stakes) },
  };
}

/** A fund of a market, and who deals with it. */
export type Dealing = {
  readonly kind: FundKind;
  readonly venue: Venue;
  readonly keys: MarketKeys;
  readonly owner: Address;
};

async function named({ kind, keys, owner }: Dealing) {
  const market = keys.address;
  const [[pool], [stakes], [insuranceVault]] = await Promise.all([
    findPoolPda({ market }),
    findStakesPda({ market }),
    findInsuranceVaultPda({ market }),
  ]);
  const fund = kind === 'pool' ? pool : stakes;
  const [[poolTrader], [share]] = await Promise.all([
    findPoolTraderPda({ pool }),
    findSharePda({ fund, owner }),
  ]);
  const { queueLong, queueShort, price } = keys;
  const signer = createNoopSigner(owner);
  return {
    fund,
    common: { owner: signer, market, share },
    pool: { pool, poolTrader },
    stakes: { stakes, insuranceVault },
    priced: { queueLong, queueShort, price },
    signer,
  };
}

/** Collateral into the fund; the accounts that it needs are opened where they are missing. */
export async function join(
  dealing: Dealing,
  missing: { readonly stakes: boolean; readonly share: boolean },
  source: TokenAccount,
  amount: bigint,
): Promise<Instruction[]> {
  const { fund, common, pool, stakes, priced, signer } = await named(dealing);
  const open = missing.stakes
    ? [getOpenStakesInstruction({ payer: signer, market: common.market, stakes: fund })]
    : [];
  const keep = missing.share
    ? [getCreateShareInstruction({ payer: signer, owner: signer, fund, share: common.share })]
    : [];
  const paid = {
    source: source.address,
    mint: dealing.venue.exchange.collateralMint,
    tokenProgram: source.program,
    amount,
  };
  const pay =
    dealing.kind === 'pool'
      ? getDepositPoolInstruction({ ...common, ...pool, ...priced, ...paid })
      : getStakeInstruction({ ...common, ...stakes, ...priced, ...paid });
  return [...open, ...keep, pay];
}

/** Asks for shares to be paid out. */
export async function request(dealing: Dealing, shares: bigint): Promise<Instruction> {
  const { common, pool, stakes, priced } = await named(dealing);
  return dealing.kind === 'pool'
    ? getRequestPoolInstruction({ ...common, ...pool, ...priced, shares })
    : getRequestUnstakeInstruction({ ...common, stakes: stakes.stakes, shares });
}

/** Takes a request back. */
export async function cancel(dealing: Dealing): Promise<Instruction> {
  const { common, pool, stakes } = await named(dealing);
  const { owner, share } = common;
  return dealing.kind === 'pool'
    ? getCancelPoolRequestInstruction({ owner, share, pool: pool.pool })
    : getCancelUnstakeInstruction({ owner, share, stakes: stakes.stakes });
}

/** Pays a request out, `leastAtoms` at the least, into the owner's token account, which is made where there is none. */
export async function leave(
  dealing: Dealing,
  destination: TokenAccount | undefined,
  leastAtoms: bigint,
): Promise<Instruction[]> {
  const { common, pool, stakes, priced, signer } = await named(dealing);
  const mint = dealing.venue.exchange.collateralMint;
  const { owner } = dealing;
  const tokenProgram = destination?.program ?? TOKEN_PROGRAM_ADDRESS;
  const [own] = await findAssociatedTokenPda({ owner, mint, tokenProgram });
  const make = { payer: signer, ata: own, owner, mint, tokenProgram };
  const paid = { destination: destination?.address ?? own, mint, tokenProgram, leastAtoms };
  const pay =
    dealing.kind === 'pool'
      ? getWithdrawPoolInstruction({ ...common, ...pool, ...priced, ...paid })
      : getUnstakeInstruction({ ...common, ...stakes, ...priced, ...paid });
  return destination === undefined
    ? [getCreateAssociatedTokenIdempotentInstruction(make), pay]
    : [pay];
}
