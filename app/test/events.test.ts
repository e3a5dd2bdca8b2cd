import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getBase58Decoder } from '@solana/kit';

import * as ballast from '../src';
import { bytes, camel, fixture, plain, type Fields } from './fixtures';

const events = fixture<{ data: string; fields: Fields; name: string }[]>('events.json');

test('events: every field as the Rust client reads it', () => {
  assert.deepEqual(
    events.map((event) => event.name),
    ['AutoDeleveraged', 'AutoDeleveraged', 'OrderPlaced'],
  );
  for (const { data, fields, name } of events) {
    const event = ballast.decodeBallastEvent(bytes(data));
    assert.equal(event?.name, name);
    assert.deepEqual(plain(event?.data), camel(fields));
  }
});

test('an AutoDeleveraged event is typed', () => {
  const event = ballast.decodeBallastEvent(bytes(events[0]?.data ?? ''));
  assert.ok(event?.name === 'AutoDeleveraged');
  const lots = event.data.cuts.reduce((sum, cut) => sum + cut.lotsClosed, 0n);
  assert.equal(lots, event.data.lotsClosed);
});

test('other data is no event', () => {
  const data = bytes(events[0]?.data ?? '');
  assert.equal(ballast.decodeBallastEvent(data.slice(8)), undefined, 'without the tag');
  const unknown = data.slice();
  unknown[8] = (unknown[8] ?? 0) ^ 1;
  assert.equal(ballast.decodeBallastEvent(unknown), undefined, 'of no known kind');
  assert.throws(() => ballast.decodeBallastEvent(data.slice(0, 60)), 'cut short');
});

test('the events of a transaction are those of the program, in order', () => {
  const text = events.map((event) => getBase58Decoder().decode(bytes(event.data)));
  const [stranger, keeper] = [
    '11111111111111111111111111111111',
    'SysvarC1ock11111111111111111111111111111111',
  ];
  const inner = (programIdIndex: number, data: string | undefined) => ({
    data: data ?? '',
    programIdIndex,
  });
  const transaction = {
    meta: {
      innerInstructions: [
        {
          instructions: [
            inner(1, text[0]),
            inner(2, text[0]),
            inner(2, getBase58Decoder().decode(new Uint8Array([1]))),
          ],
        },
        { instructions: [inner(2, text[2])] },
      ],
      loadedAddresses: { readonly: [ballast.BALLAST_PROGRAM_ADDRESS], writable: [] },
    },
    transaction: { message: { accountKeys: [keeper, stranger] } },
  };
  const names = ballast.ballastEvents(transaction).map((event) => event.name);
  assert.deepEqual(names, ['AutoDeleveraged', 'OrderPlaced']);
  assert.deepEqual(ballast.ballastEvents({ ...transaction, meta: null }), []);
});
