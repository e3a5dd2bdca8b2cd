import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AccountRole,
  address,
  createNoopSigner,
  getAddressDecoder,
  isSignerRole,
  isWritableRole,
  none,
  type AccountMeta,
  type Address,
  type Instruction,
  type ReadonlyUint8Array,
} from '@solana/kit';

import * as ballast from '../src';
import { bytes, fixture, hex } from './fixtures';

type Stated = {
  accounts: { address: string; signer: boolean; writable: boolean }[];
  data: string;
  name: string;
  programAddress: string;
};

const all = fixture<Stated[]>('instructions.json');
const addresses = fixture<Record<string, string>>('addresses.json');

function rust(name: string): Stated {
  const found = all.find((instruction) => instruction.name === name);
  assert.ok(found, name);
  return found;
}

/** The account at a place of the Rust client's instruction. */
function key(name: string, place: number): Address {
  return address(rust(name).accounts[place]?.address ?? '');
}

function signer(name: string, place: number) {
  return createNoopSigner(key(name, place));
}

/** An account that a caller lists behind those that the instruction names. */
type Listed = { readonly address: string; readonly writable: boolean };

/** An instruction of this client as the fixtures state it, with listed accounts added. */
function shown(instruction: Instruction, listed: readonly Listed[] = []) {
  const rest = listed.map((account) => ({
    address: address(account.address),
    role: account.writable ? AccountRole.WRITABLE : AccountRole.READONLY,
  }));
  return {
    accounts: [...(instruction.accounts ?? []), ...rest].map((meta) => ({
      address: meta.address as string,
      signer: isSignerRole(meta.role),
      writable: isWritableRole(meta.role),
    })),
    data: hex(instruction.data ?? []),
    programAddress: instruction.programAddress as string,
  };
}

function sameAsRust(name: string, instruction: Instruction, ownAccounts: number): void {
  const { name: _, ...expected } = rust(name);
  assert.deepEqual(shown(instruction, expected.accounts.slice(ownAccounts)), expected);
}

test('deposit', () => {
  const name = 'deposit';
  const instruction = ballast.getDepositInstruction({
    amount: 9_007_199_254_740_993n,
    depositor: signer(name, 0),
    mint: key(name, 5),
    source: key(name, 3),
    tokenProgram: key(name, 6),
    trader: key(name, 2),
  });
  sameAsRust(name, instruction, 9);
});

test('place_order', () => {
  const name = 'place_order';
  const instruction = ballast.getPlaceOrderInstruction({
    args: {
      clientId: 0xffff_ffff_ffff_ffffn,
      expiresAt: 1_900_000_000n,
      kind: ballast.OrderKind.PostOnly,
      lots: 4_294_967_295n,
      margin: 12_345_678n,
      priceTicks: 201_000n,
      reduceOnly: true,
      selfTrade: ballast.SelfTrade.Abort,
      side: ballast.OrderSide.Ask,
    },
    authority: signer(name, 0),
    book: key(name, 4),
    market: key(name, 2),
    price: key(name, 7),
    // A post-only order needs no queues.
    trader: key(name, 3),
  });
  sameAsRust(name, instruction, 10);
});

test('liquidate', () => {
  const name = 'liquidate';
  const instruction = ballast.getLiquidateInstruction({
    book: key(name, 5),
    liquidator: key(name, 4),
    liquidatorAuthority: signer(name, 0),
    liquidatorMargin: 987_654_321n,
    market: key(name, 2),
    price: key(name, 8),
    queueLong: key(name, 6),
    queueShort: key(name, 7),
    takeOverLots: 18_446_744_073_709_551_615n,
    trader: key(name, 3),
  });
  sameAsRust(name, instruction, 11);
});

test('auto_deleverage', () => {
  const name = 'auto_deleverage';
  const instruction = ballast.getAutoDeleverageInstruction({
    bankrupt: key(name, 3),
    book: key(name, 7),
    keeper: signer(name, 0),
    market: key(name, 2),
    price: key(name, 8),
    queueLong: key(name, 5),
    queueShort: key(name, 6),
    rewardTrader: key(name, 4),
  });
  sameAsRust(name, instruction, 11);
});

test('arguments that are options and choices', () => {
  const cancel = ballast
    .getCancelOrderInstructionDataDecoder()
    .decode(bytes(rust('cancel_order').data));
  assert.deepEqual(cancel.order, ballast.orderRef('ClientId', [42n]));
  const side = ballast.getCancelAllOrdersInstructionDataEncoder();
  assert.equal(hex(side.encode({ side: ballast.OrderSide.Ask })), rust('cancel_all_orders').data);
  const both = hex(side.encode({ side: none() }));
  assert.equal(both, `${rust('cancel_all_orders').data.slice(0, 16)}00`);
});

/** Parser, builder and data codec of an instruction, found by name. */
function generated(name: string) {
  const pascal = name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  const library = ballast as unknown as Record<string, unknown>;
  const found = <T>(member: string): T => {
    assert.equal(typeof library[member], 'function', member);
    return library[member] as T;
  };
  type Parsed = { accounts: Record<string, AccountMeta | undefined>; data: Record<string, unknown> };
  return {
    build: found<(input: Record<string, unknown>) => Instruction>(`get${pascal}Instruction`),
    kind: ballast.BallastInstruction[pascal as keyof typeof ballast.BallastInstruction],
    parse: found<(instruction: unknown) => Parsed>(`parse${pascal}Instruction`),
  };
}

test('every instruction: read from the Rust client and built again', () => {
  assert.equal(all.length, Object.keys(ballast.BallastInstruction).length / 2);
  for (const { accounts, data, name, programAddress } of all) {
    const { build, kind, parse } = generated(name);
    assert.equal(ballast.identifyBallastInstruction(bytes(data)), kind, name);
    const metas = accounts.map((account) => ({
      address: address(account.address),
      role:
        (account.signer ? AccountRole.READONLY_SIGNER : AccountRole.READONLY) |
        (account.writable ? AccountRole.WRITABLE : AccountRole.READONLY),
    }));
    const parsed = parse({
      accounts: metas,
      data: bytes(data) as ReadonlyUint8Array,
      programAddress: address(programAddress),
    });
    const { discriminator: _, ...args } = parsed.data;
    const places = Object.entries(parsed.accounts);
    // An optional account that is left out has no meta.
    const named = places.flatMap(([account, meta]) =>
      meta
        ? [[account, isSignerRole(meta.role) ? createNoopSigner(meta.address) : meta.address]]
        : [],
    );
    const instruction = build({ ...Object.fromEntries(named), ...args });
    sameAsRust(name, instruction, places.length);
  }
});

test('derived addresses', async () => {
  const owner = address(addresses['key10'] ?? '');
  const [market] = await ballast.findMarketPda({ index: 258 });
  const [trader] = await ballast.findTraderPda({ owner, subId: 513 });
  const [exchange] = await ballast.findExchangePda();
  const [collateralVault] = await ballast.findCollateralVaultPda();
  const [insuranceVault] = await ballast.findInsuranceVaultPda({ market });
  const [pool] = await ballast.findPoolPda({ market });
  const [stakes] = await ballast.findStakesPda({ market });
  const [share] = await ballast.findSharePda({ fund: pool, owner });
  const [protection] = await ballast.findProtectionPda({ trader, market });
  const roles = new Uint8Array(32);
  roles[0] = 2;
  const guardian = getAddressDecoder().decode(roles);
  const eventAuthority = ballast.getAccrueFundingInstruction({ market, price: owner }).accounts[3]
    .address;
  assert.deepEqual(
    {
      collateralVault,
      eventAuthority,
      exchange,
      handOverOfPause: await ballast.findStagedAddress(2, guardian),
      insuranceVaultOfMarket258: insuranceVault,
      key10: owner,
      market258: market,
      poolOfMarket258: pool,
      protectionOfTrader513InMarket258: protection,
      shareOfMarket258AndKey10: share,
      stakesOfMarket258: stakes,
      stagedRiskOfMarket258: await ballast.findStagedAddress(0, market),
      trader513OfKey10: trader,
    },
    addresses,
  );
});

test('create_trader derives the account', async () => {
  const name = 'create_trader';
  const instruction = await ballast.getCreateTraderInstructionAsync({
    owner: signer(name, 1),
    payer: signer(name, 0),
    subId: 513,
  });
  sameAsRust(name, instruction, rust(name).accounts.length);
});

test('errors have numbers and messages', () => {
  assert.equal(ballast.BALLAST_ERROR__NOT_ADMIN, 6000);
  assert.equal(
    ballast.getBallastErrorMessage(ballast.BALLAST_ERROR__ADL_LIST_OUT_OF_ORDER),
    'The listed counterparties are not in order of rank',
  );
});
