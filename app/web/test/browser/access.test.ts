/** Pages for everybody: axe without violations, small screens, dark ones, and the keyboard alone. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { personAt, TestNode, type Person } from './node';
import { TestSite } from './page';

/** Pages, and what is there once they have read the chain. */
const PAGES = [
  ['#/queue', '[data-move="-2000"]'],
  ['#/trade', '.depth tbody tr'],
  ['#/positions', '[data-figure="equity_atoms"]'],
  ['#/history', '[data-event]'],
  ['#/insurance', '[data-fund="stakes"]'],
  ['#/markets', '[data-market="0"] [data-figure="price"]'],
  ['#/alerts', '[data-testid="alerts-state"]'],
  ['#/rehearsal', '.drop input'],
  ['#/settings', 'form.settings'],
] as const;

let node: TestNode;
let site: TestSite;
let trader: Person;
let axe: string;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  trader = personAt(node.served.seeded.shorts, 0);
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const palette of ['standard', 'colour-blind', 'monochrome']) {
    test(`axe finds nothing: ${colorScheme}, ${palette}`, async () => {
      const { page, end } = await site.visit('#/queue', trader, { colorScheme });
      await page.evaluate(
        (name) => Object.assign(document.documentElement.dataset, { palette: name }),
        palette,
      );
      for (const [hash, there] of PAGES) {
        await page.evaluate((to) => (window.location.hash = to), hash);
        await page.locator(there).first().waitFor();
        await page
          .locator('details')
          .evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
        expect(await violations(page), hash).toEqual([]);
      }
      await end();
    });
  }
}

test('every page fits 360 pixels', async () => {
  const { page, end } = await site.visit('#/queue', trader, {
    viewport: { width: 360, height: 740 },
  });
  for (const [hash, there] of PAGES) {
    await page.evaluate((to) => (window.location.hash = to), hash);
    await page.locator(there).first().waitFor();
    await page
      .locator('details')
      .evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, hash).toBeLessThanOrEqual(360);
  }
  await end();
});

test('an order is placed with the keyboard alone', async () => {
  const { page, end } = await site.visit('#/trade', trader);
  await page.getByRole('textbox', { name: 'Price', exact: true }).waitFor();
  // From the beginning of the page: after the click that connected the wallet, Tab would go on from there.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
  });
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(
    'Skip to the content',
  );
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  const reach = async (label: string) => {
    const wanted = await page.getByLabel(label, { exact: true }).first().elementHandle();
    for (let pressed = 0; pressed < 40; pressed += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((one) => document.activeElement === one, wanted)) {
        return;
      }
    }
    throw new Error(`Tab does not reach ${label}`);
  };
  await reach('Price');
  await page.keyboard.type('199');
  await reach('Size');
  await page.keyboard.type('1');
  await page.getByTestId('preview').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.sent[data-stage="confirmed"]').waitFor();
  await end();
});
