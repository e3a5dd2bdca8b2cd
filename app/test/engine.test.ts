/** The real module on accounts that the built program wrote: its answers are those of the Rust client. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { address, type Address } from '@solana/kit';

import {
  BALLAST_PROGRAM_ADDRESS,
  EngineError,
  loadBackstop,
  loadEngine,
  OrderKind,
  OrderSide,
  SelfTrade,
  type Backstop,
  type Engine,
  type MarketAccounts,
  type RawAccount,
} from '../src';
import { REQUESTS } from '../src/engine/requests';
import { bytes, fixture, type Json } from './fixtures';

type Stored = { address: string; data: string };
type StoredMarket = {
  slot: string;
  decimals: number;
  address: string;
  market: string;
  clock: string;
  book: string;
  queueLong: string;
  queueShort: string;
  prices: { address: string; owner: string; data: string }[];
};
type Stated = {
  markets: { [name in 'crash' | 'calm' | 'funds']: StoredMarket };
  accounts: {
    [
      name in
        | 'long'
        | 'short'
        | 'maker'
        | 'victim'
        | 'pool'
        | 'poolTrader'
        | 'poolShare'
        | 'stakes'
        | 'stakeShare'
        | 'shared'
        | 'board'
        | 'legMarket'
    ]: Stored;
  };
  event: string;
  /** The slot in which the board was read. */
  slot: string;
  calls: { [name in keyof typeof REQUESTS]: { requestSha256: string; value: Json } };
};

const SYSVAR = address('Sysvar1111111111111111111111111111111111111');
const stated = fixture<Stated>('engine.json');

function account(at: string, data: string, owner: Address = BALLAST_PROGRAM_ADDRESS): RawAccount {
  return { address: address(at), programAddress: owner, data: bytes(data) };
}

function stored(name: keyof Stated['accounts']): RawAccount {
  const { address, data } = stated.accounts[name];
  return account(address, data);
}

function marketAccounts(name: keyof Stated['markets']): MarketAccounts {
  const market = stated.markets[name];
  const part = (data: string) => account(market.address, data);
  return {
    slot: BigInt(market.slot),
    decimals: market.decimals,
    market: part(market.market),
    clock: account('SysvarC1ock11111111111111111111111111111111', market.clock, SYSVAR),
    book: part(market.book),
    queueLong: part(market.queueLong),
    queueShort: part(market.queueShort),
    prices: market.prices.map((one) => account(one.address, one.data, address(one.owner))),
  };
}

const market = marketAccounts('crash');
const calm = marketAccounts('calm');
const funds = marketAccounts('funds');
const [long, short, maker] = [stored('long'), stored('short'), stored('maker')];
/** Buys 0.4 SOL, of which somebody sells 0.3. */
const order = {
  side: OrderSide.Bid,
  kind: OrderKind.Limit,
  priceTicks: 192_000n,
  lots: 400n,
  margin: 0n,
  clientId: 0n,
  expiresAt: 0n,
  reduceOnly: false,
  selfTrade: SelfTrade.CancelProvide,
};

const requests = {
  positions: { trader: short, decimals: 6, markets: [market] },
  standing: { market, trader: short },
  queue: { market, top: 3 },
  gap: { market, percent: [5, 20] },
  counterparties: { market, bankrupt: long },
  makers: { market, trader: short, order, spares: 2 },
  order: { market, trader: short, makers: [maker], order },
  liquidation: { market: calm, victim: stored('victim'), takeOver: 2_000n, spares: 1 },
  transfer: { trader: short, decimals: 6, atoms: -1_500_000n },
  explain: {
    market: market.market,
    event: bytes(stated.event),
    slot: 500_000_000n,
    signature: '5SiGnatuRe',
  },
  pool: {
    market: funds,
    pool: stored('pool'),
    trader: stored('poolTrader'),
    share: stored('poolShare'),
  },
  stake: {
    slot: funds.slot,
    decimals: 6,
    market: funds.market,
    stakes: stored('stakes'),
    share: stored('stakeShare'),
  },
  join_pool: {
    market: funds,
    pool: stored('pool'),
    trader: stored('poolTrader'),
    share: stored('poolShare'),
    atoms: 250_000_000n,
  },
  join_stakes: {
    market: funds,
    stakes: stored('stakes'),
    share: stored('stakeShare'),
    atoms: 120_000_000n,
  },
  leg_order: { market, trader: short, makers: [maker], order, board: stored('board') },
  account: {
    trader: stored('shared'),
    decimals: 6,
    slot: BigInt(stated.slot),
    board: stored('board'),
    markets: [stored('legMarket')],
  },
  market: { market: funds },
  alerts: {
    trader: short,
    decimals: 6,
    markets: [market],
    lightAt: 1,
    ratioBelowBps: 100_000_000n,
    fundingAbovePpm: 0,
    raised: [{ market_index: 7, market: 'GONE', kind: 'light', looks: 1 }],
  },
};

/** The answers of the methods, by the name of the call behind each. */
const answers: { [name in keyof typeof REQUESTS]: () => unknown } = {
  positions: () => engine.positions(requests.positions),
  standing: () => engine.standing(requests.standing),
  queue: () => engine.queue(requests.queue),
  gap: () => backstop.gap(requests.gap),
  counterparties: () => backstop.counterparties(requests.counterparties),
  makers: () => engine.makers(requests.makers),
  order: () => engine.previewOrder(requests.order),
  liquidation: () => backstop.previewLiquidation(requests.liquidation),
  transfer: () => backstop.previewTransfer(requests.transfer),
  explain: () => backstop.explain(requests.explain),
  pool: () => backstop.pool(requests.pool),
  stake: () => backstop.stake(requests.stake),
  join_pool: () => backstop.previewJoinPool(requests.join_pool),
  join_stakes: () => backstop.previewJoinStakes(requests.join_stakes),
  account: () => backstop.account(requests.account),
  leg_order: () => backstop.previewLegOrder(requests.leg_order),
  market: () => engine.market(requests.market),
  alerts: () => engine.alerts(requests.alerts),
};

let engine: Engine;
let backstop: Backstop;

before(async () => {
  // Compiled tests lie in build/test.
  const module = (name: string) => readFileSync(join(__dirname, `../../wasm/${name}.wasm`));
  engine = await loadEngine(module('ballast'));
  backstop = await loadBackstop(module('backstop'));
});

for (const name of Object.keys(REQUESTS) as (keyof typeof REQUESTS)[]) {
  test(`${name} answers what the Rust client does`, () => {
    const request = requests[name] as never;
    const sent = createHash('sha256').update(Uint8Array.from(REQUESTS[name](request)));
    assert.equal(sent.digest('hex'), stated.calls[name].requestSha256);
    assert.deepEqual(answers[name](), stated.calls[name].value);
  });
}

test('every call of the module has a method', () => {
  assert.deepEqual(Object.keys(REQUESTS).sort(), Object.keys(stated.calls).sort());
});

test('an event that was altered is found out', () => {
  const event = Uint8Array.from(requests.explain.event);
  assert.equal(backstop.explain(requests.explain).verified, true);
  const last = event.length - 1;
  const found = [...event.keys()].slice(16, last).filter((at) => {
    const altered = event.map((byte, index) => (index === at ? byte ^ 1 : byte));
    try {
      return !backstop.explain({ ...requests.explain, event: altered }).verified;
    } catch (error) {
      return error instanceof EngineError;
    }
  });
  assert.ok(found.length > 200, `${found.length} of ${event.length} bytes`);
});

test('the list of counterparties is in the order of the queue', () => {
  const round = backstop.counterparties(requests.counterparties);
  const first = engine.standing({ market, trader: short });
  assert.equal(round.counterparties[first.rank - 1], short.address);
  assert.equal(round.cuts.length, 5);
});

test('a refusal is a sentence', () => {
  const refused = (request: () => unknown, sentence: RegExp) =>
    assert.throws(request, (error) => error instanceof EngineError && sentence.test(error.message));
  refused(() => backstop.counterparties({ market, bankrupt: short }), /NotBankrupt: /);
  const missing = { ...market, queueShort: { address: long.address, exists: false as const } };
  refused(() => engine.standing({ market: missing, trader: short }), /queue of shorts/);
  const cut = { ...long, data: long.data.slice(0, 99) };
  refused(() => engine.standing({ market, trader: cut }), /99 bytes, expected at least/);
});

test('memory is given back', () => {
  const all = Object.values(answers);
  for (const answer of all) {
    answer();
  }
  const taken = () => [engine.memoryBytes, backstop.memoryBytes];
  const before = taken();
  for (let call = 0; call < 10_000; call += 1) {
    all[call % all.length]?.();
  }
  assert.deepEqual(taken(), before);
});
