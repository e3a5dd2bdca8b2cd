/** Keys of the trade page, and the one that looks something up. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { personAt, TestNode } from './node';
import { TestSite } from './page';

let node: TestNode;
let site: TestSite;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

test('keys choose side, type and market, and leave what is typed alone', async () => {
  const trader = personAt(node.served.seeded.longs, -1);
  const { page, end } = await site.visit('#/trade', trader);
  const [size, price] = [page.getByLabel('Size'), page.getByLabel('Price', { exact: true })];
  await size.waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.tagName);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press('s');
  expect(await page.getByLabel('Sell', { exact: true }).isChecked()).toBe(true);
  await page.keyboard.type('2');
  expect(await size.inputValue()).toBe('2');
  await price.fill('201');
  await page.keyboard.press('Escape');
  expect([await size.inputValue(), await price.inputValue(), await focused()]).toEqual([
    '',
    '',
    'BODY',
  ]);
  await page.keyboard.press('3');
  expect(await page.getByLabel('Type').inputValue()).toBe('3');
  await page.keyboard.press('2');
  await page.getByLabel(/^Worst price/).waitFor();
  await page.keyboard.press('b');
  expect(await page.getByLabel('Buy', { exact: true }).isChecked()).toBe(true);
  expect(await size.evaluate((one) => one === document.activeElement)).toBe(true);
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  expect(await focused()).toBe('SELECT');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Queue' }).click();
  await page.getByLabel('Wallet or trader account').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('b/s');
  expect(await page.getByLabel('Wallet or trader account').inputValue()).toBe('b/s');
  await end();
});
