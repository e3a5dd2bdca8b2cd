/** Sentences for the events that the built program announced, as the client's fixtures have them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { decodeBallastEvent, type BallastEvent } from 'ballast-client';
import { expect, test } from 'vitest';

import { BALLAST_EVENTS } from '../../../src/generated/events';
import { sentenceOf, type View } from '../../src/words';

type Stored = { name: string; data: string };
const file = fileURLToPath(new URL('../../../test/fixtures/events.json', import.meta.url));
const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored[];
const units = { tickNano: 1_000_000n, lotNano: 1_000_000n };
const view: View = {
  decimals: 6,
  own: new Set(),
  market: () => ({ name: '<script>alert(1)', units }),
};

function decoded(data: string): BallastEvent {
  const event = decodeBallastEvent(new Uint8Array(Buffer.from(data, 'hex')));
  if (event === undefined) {
    throw new Error('the fixture holds no event');
  }
  return event;
}

test('who was cut is told in the second person, with a name of a market as text', () => {
  const event = decoded(stored[0]?.data ?? '');
  if (event.name !== 'AutoDeleveraged') {
    throw new Error('the first event of the fixtures is a round');
  }
  const [cut] = event.data.cuts;
  const told = sentenceOf(event, { ...view, own: new Set([cut?.trader ?? '']) });
  expect(told).toMatch(
    /^You were deleveraged in <script>alert\(1\): [\d.]+ of your [\d.]+ closed, /,
  );
  expect(sentenceOf(event, view)).toMatch(
    /deleveraged in <script>alert\(1\) against \d+ winners\.$/,
  );
});

test('an order says what filled, waits and dropped', () => {
  const event = stored.map(({ data }) => decoded(data)).find(({ name }) => name === 'OrderPlaced');
  expect(event && sentenceOf(event, view)).toMatch(
    /order to (buy|sell) .* filled.*; .* wait; .* dropped\.$/,
  );
});

test('every event of the program is a sentence, also where its market is unknown', () => {
  for (const { name, decoder } of BALLAST_EVENTS) {
    const data = decoder.decode(new Uint8Array(4_096));
    expect(
      sentenceOf({ name, data } as BallastEvent, { ...view, market: () => undefined }),
      name,
    ).toMatch(/^\S.*\.$/);
  }
});
