/** Alerts in the page: raised once and ended once, with notifications and where the browser refuses them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { deleverage, standBack } from './crank';
import { ballast, personAt, TestNode, type Person } from './node';
import { TestSite } from './page';

let node: TestNode;
let site: TestSite;
let short: Person;
let folder: string;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  short = personAt(node.served.seeded.shorts, 0);
  folder = await mkdtemp(join(tmpdir(), 'ballast-alerts-'));
  await standBack(node);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A page on which alerts were turned on; what its notifications say is kept. */
async function watching(options: BrowserContextOptions = {}) {
  const visit = await site.visit('#/alerts', short, options);
  await visit.page.evaluate(() => {
    const told: string[] = [];
    const Real = Notification;
    const Kept = class extends Real {
      constructor(title: string, more?: NotificationOptions) {
        super(title, more);
        told.push(more?.body ?? '');
      }
    };
    Object.assign(window, { Notification: Kept, told });
  });
  await visit.page.getByRole('button', { name: 'Turn alerts on' }).click();
  return visit;
}

const notified = (page: Page) =>
  page.evaluate(() => (window as unknown as { told: string[] }).told);

test('a light is told once in a crash, and once when it is over', { timeout: 90_000 }, async () => {
  const { page, thrown, end } = await watching({ permissions: ['notifications'] });
  await page.getByText('Alerts are on. The browser shows them too.').waitFor();
  const light = page.locator('[data-alert="light"]');
  expect(await light.count()).toBe(0);
  await node.price(190_000);
  await page.locator('[data-alert="light"][data-raised="true"]').waitFor();
  // Other prices at which the light stays are no news.
  await node.price(189_900);
  await node.price(189_800);
  await node.price(200_500);
  await page.locator('[data-alert="light"][data-raised="false"]').waitFor();
  expect(await light.count()).toBe(2);
  const told = await notified(page);
  expect(
    told.filter((text) => text.includes('it is among the first to be deleveraged')),
  ).toHaveLength(1);
  expect(told.filter((text) => /light .* again$/.test(text))).toHaveLength(1);
  expect(thrown).toEqual([]);
  await end();
});

test('where the browser refuses, a cut is told on the page', { timeout: 90_000 }, async () => {
  const { page, end } = await watching();
  await page.getByText('The browser refuses to show them').waitFor();
  await node.price(180_000);
  await page.locator('[data-alert="light"]').first().waitFor();
  await deleverage(node, personAt(node.served.seeded.longs, 0));
  const cut = page.locator('[data-alert="AutoDeleveraged"]');
  await cut.waitFor();
  expect(await cut.innerText()).toMatch(/You were deleveraged in SOL-PERP/);
  expect(await notified(page)).toEqual([]);
  await page.getByRole('button', { name: 'Turn them off' }).click();
  await page.getByText('Alerts are off.').waitFor();
  await end();
});

test('a change that an authority stages is told, and when it is taken back', async () => {
  const admin = join(folder, 'admin.json');
  await writeFile(admin, JSON.stringify(node.served.admin));
  const { page, end } = await watching();
  await ballast(node.served, 'pool', 'create', '--market', 'SOL-PERP', '--keypair', admin);
  const stage = ['admin', 'stage', 'pool', '--market', 'SOL-PERP', '--cap-bps', '4000'];
  const answer = (await ballast(node.served, ...stage, '--keypair', admin)) as {
    events: { event: string; staged?: string }[];
  };
  const [held] = answer.events.flatMap(({ staged }) => staged ?? []);
  const staged = page.locator('[data-alert="staged"]');
  await staged.getByText('SOL-PERP: the pool’s parameters may change from slot').waitFor();
  await page.getByRole('link', { name: 'Markets' }).click();
  await page.locator('[data-staged="Pool"]').waitFor();
  await ballast(node.served, 'guardian', 'cancel', held ?? '', '--keypair', admin);
  await page.getByRole('link', { name: 'Alerts' }).click();
  await page.locator('[data-alert="staged"][data-raised="false"]').waitFor();
  expect(await staged.count()).toBe(2);
  await end();
});
