/** Pictures of the pages for the documents, in docs/pictures: written where BALLAST_PICTURES says so. */
import { mkdir } from 'node:fs/promises';
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
    const bytes = await page.screenshot(WRITES ? { path: `${FOLDER}/${name}-${size}.png` } : {});
    expect(bytes.length).toBeGreaterThan(5_000);
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
  await picture('positions', '#/positions', async (page) =>
    page.getByText('is the first to be cut.').waitFor(),
  );
  await deleverage(node, personAt(node.served.seeded.longs, 0));
  await picture('why', '#/history', async (page) => {
    await page.getByRole('button', { name: 'Why me?' }).first().click();
    await page.locator('[data-verdict="good"]').waitFor();
  });
});
