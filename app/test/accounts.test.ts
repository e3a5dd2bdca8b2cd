import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as ballast from '../src';
import { bytes, camel, fixture, plain, stated, type Fields, type Json } from './fixtures';

type Account = { data: string; fields: Fields };

const accounts = fixture<
  Record<'exchange' | 'market' | 'pool' | 'protection' | 'share' | 'staged' | 'stakes' | 'trader', Account>
>('accounts.json');

test('accounts of fixed size: every field as the Rust client reads it', () => {
  const decoders = {
    exchange: ballast.getExchangeDecoder(),
    market: ballast.getMarketDecoder(),
    pool: ballast.getPoolDecoder(),
    share: ballast.getShareDecoder(),
    protection: ballast.getProtectionDecoder(),
    staged: ballast.getStagedDecoder(),
    stakes: ballast.getStakesDecoder(),
    trader: ballast.getTraderDecoder(),
  };
  for (const [name, { data, fields }] of Object.entries(accounts)) {
    const { discriminator, ...decoded } = decoders[name as keyof typeof decoders].decode(
      bytes(data),
    );
    assert.equal(plain(discriminator), data.slice(0, 16));
    assert.deepEqual(plain(decoded), camel(fields), name);
  }
});

test('accounts are told apart and written as they were', () => {
  const kinds = [
    ['exchange', ballast.BallastAccount.Exchange, ballast.getExchangeCodec()],
    ['market', ballast.BallastAccount.Market, ballast.getMarketCodec()],
    ['pool', ballast.BallastAccount.Pool, ballast.getPoolCodec()],
    ['share', ballast.BallastAccount.Share, ballast.getShareCodec()],
    ['protection', ballast.BallastAccount.Protection, ballast.getProtectionCodec()],
    ['staged', ballast.BallastAccount.Staged, ballast.getStagedCodec()],
    ['stakes', ballast.BallastAccount.Stakes, ballast.getStakesCodec()],
    ['trader', ballast.BallastAccount.Trader, ballast.getTraderCodec()],
  ] as const;
  for (const [name, kind, codec] of kinds) {
    const data = bytes(accounts[name].data);
    assert.equal(ballast.identifyBallastAccount(data), kind);
    assert.deepEqual(new Uint8Array(codec.encode(codec.decode(data) as never)), data, name);
  }
});

test('a deleveraging session', () => {
  const { data, fields, members } = fixture<Account & { members: Json[] }>('adl_session.json');
  const session = ballast.getAdlSessionDecoder().decode(bytes(data));
  const expected = camel(fields);
  assert.deepEqual(stated(session, expected), expected);
  const used = session.selection.members.slice(0, session.selection.len);
  assert.equal(used.length, 3);
  assert.deepEqual(plain(used), camel(members));
});

test('a book: orders in price-time order, with their nodes', () => {
  type Listed = { node: number; order: Fields; reduceOnly: boolean };
  const { data, header, ...sides } = fixture<{
    asks: Listed[];
    bids: Listed[];
    data: string;
    header: Json;
  }>('book.json');
  assert.equal(ballast.identifyBallastAccount(bytes(data)), ballast.BallastAccount.Book);
  const book = ballast.getBookDecoder().decode(bytes(data));
  assert.deepEqual(plain(book.header), camel(header));
  const orders = ballast.bookOrders(book);
  for (const side of ['asks', 'bids'] as const) {
    assert.ok(sides[side].length >= 4);
    assert.deepEqual(
      orders[side].map((order) => ({
        node: order.node,
        order: stated(order, camel(sides[side][0]?.order ?? null)),
        reduceOnly: (order.flags & ballast.ORDER_REDUCE_ONLY) !== 0,
      })),
      sides[side].map((listed) => ({ ...listed, order: camel(listed.order) })),
      side,
    );
  }
  const free = orders.bids.find((order) => order.sequence === 2n);
  assert.equal(free, undefined, 'the order that left');
});

test('a queue: positions with their nodes', () => {
  type Listed = { entry: Fields; node: number };
  const { data, entries, header } = fixture<{ data: string; entries: Listed[]; header: Json }>(
    'queue.json',
  );
  assert.equal(ballast.identifyBallastAccount(bytes(data)), ballast.BallastAccount.Queue);
  const queue = ballast.getQueueDecoder().decode(bytes(data));
  const expected = camel(header);
  assert.deepEqual(stated(queue.header, expected), expected);
  assert.deepEqual(
    ballast.queuedPositions(queue).map((position) => ({
      entry: stated(position, camel(entries[0]?.entry ?? null)),
      node: position.node,
    })),
    entries.map((listed) => ({ ...listed, entry: camel(listed.entry) })),
  );
  assert.equal(entries.length, 4);
});
