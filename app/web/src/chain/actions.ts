/** What a trader does, as instructions built from what the page shows. */
import {
  AccountRole,
  createNoopSigner,
  type AccountMeta,
  type Address,
  type Instruction,
} from '@solana/kit';
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  TOKEN_PROGRAM_ADDRESS,
} from '@solana-program/token';
import {
  crossQueueOf,
  findProtectionPda,
  findTraderPda,
  getCancelOrderInstruction,
  getCancelTriggerInstruction,
  getCloseProtectionInstruction,
  getCreateProtectionInstructionAsync,
  getCreateTraderInstructionAsync,
  getDepositInstruction,
  getPlaceOrderInstruction,
  getPlaceTriggerInstruction,
  getSetProtectionInstruction,
  getWithdrawInstruction,
  OrderKind,
  OrderSide,
  SelfTrade,
  TriggerKind,
  type OrderPreview,
  type PlaceOrderArgsArgs,
  type ProtectiveStepArgs,
  type RawAccount,
} from 'ballast-client';

import { ask } from '../engine';
import {
  isLeg,
  present,
  readAccounts,
  readBoard,
  traderState,
  type MarketKeys,
  type MarketState,
  type TraderState,
  type Venue,
} from './accounts';
import type { Nodes } from './nodes';
import type { TokenAccount } from './tokens';

/** Accounts that an order may list in a transaction. */
const MOST_LISTED = 18;

/** Collateral into a trader account, which is opened where the owner has none. */
export async function deposit(
  { exchange }: Venue,
  owner: Address,
  trader: Address | undefined,
  source: TokenAccount,
  amount: bigint,
): Promise<Instruction[]> {
  const signer = createNoopSigner(owner);
  const open =
    trader === undefined
      ? [await getCreateTraderInstructionAsync({ payer: signer, owner: signer, subId: 0 })]
      : [];
  const into = trader ?? (await findTraderPda({ owner, subId: 0 }))[0];
  const pay = getDepositInstruction({
    depositor: signer,
    trader: into,
    source: source.address,
    mint: exchange.collateralMint,
    tokenProgram: source.program,
    amount,
  });
  return [...open, pay];
}

/** Collateral out of a trader account, into the owner's token account, which is made where there is none. */
export async function withdraw(
  { exchange }: Venue,
  owner: Address,
  trader: Address,
  destination: TokenAccount | undefined,
  amount: bigint,
): Promise<Instruction[]> {
  const [signer, mint] = [createNoopSigner(owner), exchange.collateralMint];
  const tokenProgram = destination?.program ?? TOKEN_PROGRAM_ADDRESS;
  const [own] = await findAssociatedTokenPda({ owner, mint, tokenProgram });
  const make = getCreateAssociatedTokenIdempotentInstruction({
    payer: signer,
    ata: own,
    owner,
    mint,
    tokenProgram,
  });
  const pay = getWithdrawInstruction({
    owner: signer,
    trader,
    destination: destination?.address ?? own,
    mint,
    tokenProgram,
    amount,
  });
  return destination === undefined ? [make, pay] : [pay];
}

/** An order that closes a position whole, at whatever the book pays within the price band. */
export function closingOrder(lots: bigint): PlaceOrderArgsArgs {
  return {
    side: lots > 0n ? OrderSide.Ask : OrderSide.Bid,
    kind: OrderKind.Market,
    priceTicks: 0n,
    lots: lots < 0n ? -lots : lots,
    margin: 0n,
    clientId: 0n,
    expiresAt: 0n,
    reduceOnly: true,
    selfTrade: SelfTrade.CancelProvide,
  };
}

/** An order, what it would do, and the instruction that does it. */
export type PreparedOrder = { readonly preview: OrderPreview; readonly instruction: Instruction };

/** Asks the engine whom an order meets and what it would do, on accounts as they are now. */
export async function prepareOrder(
  { rpc }: Nodes,
  owner: Address,
  state: MarketState,
  trader: RawAccount,
  order: PlaceOrderArgsArgs,
): Promise<PreparedOrder> {
  const market = state.accounts;
  const asked = await ask('makers', { market, trader, order });
  const named = (asked.makers as Address[]).slice(0, MOST_LISTED);
  const found = named.length === 0 ? [] : (await readAccounts(rpc, named)).accounts;
  const makers = found.map((maker) => present(maker, `The trader account ${maker.address}`));
  const place = (listed: AccountMeta[]) =>
    placeOrder(state.keys, owner, trader.address, order, listed);
  if (!makers.some((maker) => ordersOfLegs(maker, state.keys.address))) {
    const preview = await ask('previewOrder', { market, trader, makers, order });
    return { preview, instruction: place(named.map(written)) };
  }
  const { account: board } = await readBoard(rpc);
  let kept = makers;
  for (;;) {
    const request = { market, trader, makers: kept, order, board };
    const preview = await ask('previewLegOrder', request);
    const listed = preview.listed as Address[];
    if (listed.length <= MOST_LISTED || kept.length === 0) {
      const metas = listed.map((one) =>
        one === board.address ? { address: one, role: AccountRole.READONLY } : written(one),
      );
      return { preview, instruction: place(metas) };
    }
    kept = kept.slice(0, Math.max(0, kept.length - (listed.length - MOST_LISTED)));
  }
}

/** Whether the orders of a trader account in a market are those of a leg. */
function ordersOfLegs(account: RawAccount, market: Address): boolean {
  const { positions } = traderState(account).trader;
  return positions.some((slot) => slot.market === market && slot.cross !== 0);
}

function written(address: Address): AccountMeta {
  return { address, role: AccountRole.WRITABLE };
}

/** The instruction of an order, with the accounts that it lists. */
function placeOrder(
  keys: MarketKeys,
  owner: Address,
  trader: Address,
  args: PlaceOrderArgsArgs,
  listed: readonly AccountMeta[],
): Instruction {
  const order = getPlaceOrderInstruction({ ...marketAccounts(keys, owner, trader), args });
  return { ...order, accounts: [...order.accounts, ...listed] };
}

function marketAccounts(keys: MarketKeys, owner: Address, trader: Address) {
  const { address: market, book, queueLong, queueShort, price } = keys;
  return { authority: createNoopSigner(owner), market, trader, book, queueLong, queueShort, price };
}

/** Takes an order out of the book. */
export function cancelOrder(
  keys: MarketKeys,
  owner: Address,
  trader: Address,
  id: bigint,
): Instruction {
  return getCancelOrderInstruction({
    authority: createNoopSigner(owner),
    market: keys.address,
    trader,
    book: keys.book,
    order: { __kind: 'Id', fields: [id] },
  });
}

/** A stop-loss or take-profit. */
export function placeTrigger(
  keys: MarketKeys,
  owner: Address,
  trader: Address,
  kind: TriggerKind,
  priceTicks: bigint,
  lots: bigint,
): Instruction {
  const authority = createNoopSigner(owner);
  return getPlaceTriggerInstruction({
    authority,
    market: keys.address,
    trader,
    kind,
    priceTicks,
    worstTicks: 0n,
    lots,
  });
}

/** Clears one. */
export function cancelTrigger(
  keys: MarketKeys,
  owner: Address,
  trader: Address,
  kind: TriggerKind,
): Instruction {
  return getCancelTriggerInstruction({
    authority: createNoopSigner(owner),
    market: keys.address,
    trader,
    kind,
  });
}

/**
 * Protective steps of a position or a leg in place of those before; their account is opened where there is none. Those
 * of a leg are set beside its cross queue.
 */
export async function setProtection(
  { rpc }: Nodes,
  { keys, market: stored }: MarketState,
  owner: Address,
  { account, trader }: TraderState,
  open: boolean,
  steps: ProtectiveStepArgs[],
  slipBps: number,
): Promise<Instruction[]> {
  const [signer, market] = [createNoopSigner(owner), keys.address];
  const [protection] = await findProtectionPda({ trader: account.address, market });
  const create = await getCreateProtectionInstructionAsync({
    owner: signer,
    market,
    trader: account.address,
  });
  const slot = trader.positions.find((one) => one.market === market);
  const side = (slot?.lots ?? 0n) < 0n ? 'short' : 'long';
  const queue =
    slot !== undefined && isLeg(slot)
      ? crossQueueOf((await readBoard(rpc)).account.data, stored, side)
      : side === 'short'
        ? keys.queueShort
        : keys.queueLong;
  const set = getSetProtectionInstruction({
    authority: signer,
    market,
    trader: account.address,
    protection,
    queue,
    steps,
    slipBps,
  });
  return open ? [set] : [create, set];
}

/** Closes the account of protective steps; its rent goes back to the owner. */
export async function closeProtection(
  keys: MarketKeys,
  owner: Address,
  trader: Address,
): Promise<Instruction> {
  const [protection] = await findProtectionPda({ trader, market: keys.address });
  return getCloseProtectionInstruction({ owner: createNoopSigner(owner), protection });
}
