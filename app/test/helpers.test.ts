import assert from 'node:assert/strict';
import { test } from 'node:test';

import { getAddressEncoder } from '@solana/kit';

import {
  crossQueueOf,
  decimalOf,
  decodeMarketName,
  encodeMarketName,
  findPriceAddress,
  findPriceFeedAddress,
  ORACLE_KIND_PUSH,
  unitsOf,
} from '../src';
import { bytes } from './fixtures';

/** SOL/USD, and its account in docs/KEEPERS.md's commands: shard 0. */
const FEED = bytes('ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d');
const ACCOUNT = '7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE';

test('the price account of a feed is the one that Pyth keeps', async () => {
  assert.equal(await findPriceFeedAddress(FEED), ACCOUNT);
  assert.notEqual(await findPriceFeedAddress(FEED, 1), ACCOUNT);
  const pull = { oracle: { kind: 0, feedId: FEED } };
  assert.equal(await findPriceAddress(pull as never), ACCOUNT);
  const push = { oracle: { kind: ORACLE_KIND_PUSH, pushAccount: 'x' } };
  assert.equal(await findPriceAddress(push as never), 'x');
});

test('the cross queue of a leg is that of its market and side', () => {
  // Discriminator, version and padding; then two markets with their queues of longs and shorts and 16 bytes of limits.
  const board = new Uint8Array(16 + 2 * 80);
  const filled = [1, 2, 3, 4];
  [16, 48, 96, 128].forEach((place, at) => board.fill(filled[at] ?? 0, place, place + 32));
  const first = (cross: number, side: 'long' | 'short') =>
    getAddressEncoder().encode(crossQueueOf(board, { cross }, side));
  const sides = ['long', 'short'] as const;
  const found = [1, 2].flatMap((cross) => sides.map((side) => first(cross, side)));
  assert.deepEqual(
    found.map((queue) => [...new Set(queue)]),
    filled.map((byte) => [byte]),
  );
  assert.throws(() => crossQueueOf(board, { cross: 0 }, 'long'), /no cross margin/);
});

test('names are read and written', () => {
  const name = encodeMarketName('SOL-PERP');
  assert.equal(name.length, 16);
  assert.equal(decodeMarketName(name), 'SOL-PERP');
  for (const bad of ['', 'A-VERY-LONG-MARKET-NAME', 'ü']) {
    assert.throws(() => encodeMarketName(bad), RangeError);
  }
});

test('ticks and lots are exact', () => {
  const tick = 25_000_000n;
  assert.equal(unitsOf('188.05', tick), 7_522n);
  assert.equal(decimalOf(7_522n, tick), '188.05');
  assert.equal(decimalOf(40n, tick), '1');
  for (const bad of ['188.03', '-1', '1e3', '1,000', '']) {
    assert.throws(() => unitsOf(bad, tick), RangeError);
  }
});
