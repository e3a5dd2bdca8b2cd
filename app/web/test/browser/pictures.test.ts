/** Pictures of the pages for the documents, in docs/pictures: written where BALLAST_PICTURES says so. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { deleverage, standBack } from './crank';
import { personAt, TestNode, type Person } from './node';
import { TestSite } from './page';

const FOLDER = fileURLToPath(new URL('../../../../docs/pictures', import.meta.url));
const WRITES = process.env['BALLAST_PICTURES'] !== undefined;
const SIZES = { desktop: { width: 1_000, height: 640 }, phone: { width: 360, height: 640 } };

let node: TestNode;
let site: TestSite;
let winner: Person;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  winner = personAt(node.served.seeded.shorts, 0);
  if (WRITES) {
    await mkdir(FOLDER, { recursive: true });
  }
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

async function picture(
  name: string,
  hash: string,
  prepare: (page: import('playwright-core').Page) => Promise<void>,
) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const { page, end } = await site.visit(hash, winner, { viewport, colorScheme: 'light' });
    await prepare(page);
    const drawn = await page.context().newCDPSession(page);
    const { data } = await drawn.send('Page.captureScreenshot', { format: 'webp', quality: 75 });
    const bytes = Buffer.from(data, 'base64');
    expect(bytes.length).toBeGreaterThan(3_000);
    expect(bytes.length).toBeLessThan(60_000);
    if (WRITES) {
      await writeFile(`${FOLDER}/${name}-${size}.webp`, bytes);
    }
    await end();
  }
}

test('queue and trade', async () => {
  await node.price(195_000);
  await picture('queue', '#/queue', async (page) => page.locator('[data-move="-2000"]').waitFor());
  await node.price(200_000);
  await picture('trade', '#/trade', async (page) => {
    await page.getByRole('textbox', { name: 'Price', exact: true }).fill('200.5');
    await page.getByLabel('Size').fill('2');
    await page.getByTestId('preview').waitFor();
  });
});

test('positions and history, after a crash', async () => {
  await standBack(node);
  await node.price(180_000);
  await picture('positions', '#/positions', async (page) => {
    const place = page.getByText('is the first to be cut.');
    await place.waitFor();
    await place.scrollIntoViewIfNeeded();
  });
  await deleverage(node, personAt(node.served.seeded.longs, 0));
  await picture('why', '#/history', async (page) => {
    await page.getByRole('button', { name: 'Why me?' }).first().click();
    const verdict = page.locator('[data-verdict="good"]');
    await verdict.waitFor();
    await verdict.scrollIntoViewIfNeeded();
  });
});

test('protective steps, and a stake that waits to be paid', async () => {
  await node.price(200_000);
  await picture('steps', '#/positions', async (page) => {
    const card = page.locator('[data-position="0"]');
    await card
      .getByText(/^Protective steps/)
      .first()
      .click();
    await card.getByLabel(/^Steps, ratio:keep/).fill('150:50, 120:0');
    await card.getByRole('button', { name: 'Set steps' }).click();
    const set = card.getByText('below 120 % keep 0 % of the position');
    await set.waitFor();
    await set.scrollIntoViewIfNeeded();
  });
  const { page, end } = await site.visit('#/insurance', winner);
  const stake = page.locator('[data-fund="stakes"]');
  await stake.getByLabel('Amount').fill('250');
  await stake.getByRole('button', { name: 'Stake behind insurance' }).click();
  await stake.getByRole('button', { name: 'Ask for all of it back' }).click();
  await stake.getByTestId('request').waitFor();
  await end();
  await picture('waiting', '#/insurance', async (page) => {
    const request = page.locator('[data-fund="stakes"]').getByTestId('request');
    await request.waitFor();
    await request.scrollIntoViewIfNeeded();
  });
});
