/** Markets in a line: the figures of the command line, and what is wrong with a price in words. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ballast, TestNode } from './node';
import { figure, TestSite } from './page';

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

type Line = { price: string; open_interest: string; insurance: string; adl_rounds: number };

test('the figures are those of the command line, and the parameters are there', async () => {
  const { markets } = (await ballast(node.served, 'markets')) as { markets: [Line] };
  const { page, thrown, end } = await site.visit('#/markets');
  const card = page.locator('[data-market="0"]');
  await card.locator('[data-figure="price"]').waitFor();
  const [line] = markets;
  expect(await figure(card, 'price')).toBe(line.price);
  expect(await figure(card, 'open_interest')).toBe(line.open_interest);
  expect(await figure(card, 'insurance')).toBe(String(Number(line.insurance)));
  expect(await figure(card, 'mode')).toBe('open');
  await card.getByText('Risk parameters').click();
  await card.getByText('taker fee bps').waitFor();
  expect(await page.getByTestId('price-fault').count()).toBe(0);
  await page.getByText('Nothing is staged.').waitFor();
  expect(thrown).toEqual([]);
  await end();
});

test('a price that grows old is said in words', async () => {
  await node.control('publish', { on: false });
  await node.pass(40);
  const { page, end } = await site.visit('#/markets');
  await page.getByTestId('price-fault').waitFor();
  expect(await page.getByTestId('price-fault').innerText()).toMatch(/old|stale|age/i);
  await end();
});
