/** A crash: the light turns 5, the visitor is cut, reads why, and finds out a forged answer. */
import { getBase58Decoder, getBase58Encoder } from '@solana/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { deleverage, standBack } from './crank';
import { personAt, TestNode, type Person } from './node';
import { figure, TestSite } from './page';

let node: TestNode;
let site: TestSite;
let winner: Person;
let bankrupt: Person;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  const { longs, shorts } = node.served.seeded;
  [bankrupt, winner] = [personAt(longs, 0), personAt(shorts, 0)];
  await standBack(node);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

test('in a crash the light turns 5', async () => {
  const { page, end } = await site.visit('#/positions', winner);
  const card = page.locator('[data-position="0"]');
  await card.locator('[data-figure="light"]').first().waitFor();
  expect(await figure(card, 'light')).not.toBe('5');
  await node.price(180_000);
  await expect.poll(() => figure(card, 'light'), { timeout: 15_000 }).toBe('5');
  await card.getByText('is the first to be cut.').waitFor();
  await end();
});

test('who was cut reads why: fetched again and decided again', async () => {
  await node.price(180_000);
  await deleverage(node, bankrupt);
  const { page, thrown, end } = await site.visit('#/history', winner);
  const cut = page.locator('[data-event="AutoDeleveraged"]').first();
  await cut.getByText(/^You were deleveraged in /).waitFor();
  await cut.getByRole('button', { name: 'Why me?' }).click();
  const verdict = cut.locator('[data-verdict]');
  await verdict.waitFor();
  expect(await verdict.getAttribute('data-verdict')).toBe('good');
  expect(await verdict.innerText()).toMatch(/✓ \d+ figures agree/);
  expect(await verdict.locator('tr[aria-current="true"] code').getAttribute('data-address')).toBe(
    winner.trader,
  );
  expect(thrown).toEqual([]);
  await end();
});

test('a forged answer of the node turns red', async () => {
  const { page, end } = await site.visit('#/history', winner);
  const cut = page.locator('[data-event="AutoDeleveraged"]').first();
  await cut.waitFor();
  await page.route(node.served.rpc, async (route) => {
    const { method } = route.request().postDataJSON() as { method: string };
    if (method !== 'getTransaction') {
      return route.continue();
    }
    const response = await route.fetch();
    return route.fulfill({ response, body: forged(await response.text()) });
  });
  await cut.getByRole('button', { name: 'Why me?' }).click();
  await cut.locator('[data-verdict="bad"]').waitFor();
  expect(await cut.locator('[data-verdict="bad"]').innerText()).toMatch(/✗ /);
  expect(await cut.getByText(/figures agree/).count()).toBe(0);
  await end();
});

/** The answer with one bit of the last trader's cut changed. */
function forged(answer: string): string {
  const parsed = JSON.parse(answer) as {
    result: { meta: { innerInstructions: { instructions: { data: string }[] }[] } };
  };
  const inner = parsed.result.meta.innerInstructions.flatMap(({ instructions }) => instructions);
  const longest = inner.reduce((one, other) => (other.data.length > one.data.length ? other : one));
  const bytes = new Uint8Array(getBase58Encoder().encode(longest.data));
  // Eight bytes for what it gave up, four and eight for its orders, and one that says that there is no more.
  const at = bytes.length - 1 - 8 - 4 - 8;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  longest.data = getBase58Decoder().decode(bytes);
  return JSON.stringify(parsed);
}
