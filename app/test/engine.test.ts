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
  loadEngine,
  type Engine,
  type MarketAccounts,
  type RawAccount,
} from '../src';
import { REQUESTS } from '../src/engine/requests';
import { bytes, fixture, hex, type Json } from './fixtures';

type Stored = { address: string; data: string };
type Stated = {
  market: {
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
  long: Stored;
  short: Stored;
  calls: { [name in keyof typeof REQUESTS]: { requestSha256: string; value: Json } };
};

const SYSVAR = address('Sysvar1111111111111111111111111111111111111');
const stated = fixture<Stated>('engine.json');

function account(at: string, data: string, owner: Address = BALLAST_PROGRAM_ADDRESS): RawAccount {
  return { address: address(at), programAddress: owner, data: bytes(data) };
}

function marketAccounts(): MarketAccounts {
  const { market } = stated;
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

const market = marketAccounts();
const long = account(stated.long.address, stated.long.data);
const short = account(stated.short.address, stated.short.data);

const requests = {
  positions: { trader: short, decimals: 6, markets: [market] },
  standing: { market, trader: short },
  counterparties: { market, bankrupt: long },
};

let engine: Engine;

before(async () => {
  // Compiled tests lie in build/test.
  engine = await loadEngine(readFileSync(join(__dirname, '../../wasm/ballast.wasm')));
});

for (const name of Object.keys(stated.calls) as (keyof typeof REQUESTS)[]) {
  test(`${name} answers what the Rust client does`, () => {
    const request = requests[name] as never;
    const sent = createHash('sha256').update(Uint8Array.from(REQUESTS[name](request)));
    assert.equal(sent.digest('hex'), stated.calls[name].requestSha256);
    assert.deepEqual(engine[name](request), stated.calls[name].value);
  });
}

test('the list of counterparties is in the order of the queue', () => {
  const round = engine.counterparties(requests.counterparties);
  const first = engine.standing({ market, trader: short });
  assert.equal(round.counterparties[first.rank - 1], short.address);
  assert.equal(round.cuts.length, 5);
});

test('a refusal is a sentence', () => {
  const refused = (request: () => unknown, sentence: RegExp) =>
    assert.throws(request, (error) => error instanceof EngineError && sentence.test(error.message));
  refused(() => engine.counterparties({ market, bankrupt: short }), /NotBankrupt: /);
  const missing = { ...market, queueShort: { address: long.address, exists: false as const } };
  refused(() => engine.standing({ market: missing, trader: short }), /queue of shorts/);
  const cut = { ...long, data: long.data.slice(0, 99) };
  refused(() => engine.standing({ market, trader: cut }), /99 bytes, expected at least/);
});

test('memory is given back', () => {
  engine.standing(requests.standing);
  const before = engine.memoryBytes;
  for (let call = 0; call < 10_000; call += 1) {
    engine.standing(requests.standing);
  }
  assert.equal(engine.memoryBytes, before);
});
