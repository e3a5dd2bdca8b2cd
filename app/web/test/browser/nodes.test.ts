/** One node down, and both. */
import { afterEach, beforeEach, expect, test } from 'vitest';

import { TestNode } from './node';
import { TestSite } from './page';

let first: TestNode;
let second: TestNode;
let site: TestSite;

beforeEach(async () => {
  [first, second] = await Promise.all([TestNode.start(), TestNode.start()]);
  site = await TestSite.start([first.served, second.served]);
});

afterEach(async () => {
  await site?.stop();
  await Promise.all([first?.stop(), second?.stop()]);
});

test('the second node takes over, the page says so, and says how old its figures are when none is left', async () => {
  const { page, thrown, end } = await site.visit('#/queue');
  await page.getByTestId('mark').getByText('200', { exact: true }).waitFor();
  expect(await page.getByTestId('node-banner').count()).toBe(0);
  await first.stop();
  const banner = page.getByTestId('node-banner');
  await banner.getByText('cannot be reached').waitFor();
  await banner.getByText(`${new URL(second.served.rpc).host} answers in its place.`).waitFor();
  await second.price(197_000);
  await page.getByTestId('mark').getByText('197', { exact: true }).waitFor();
  await second.stop();
  await banner.getByText('No other node is left').waitFor();
  await page.getByText(/⚠ old: read \d+ s ago/).waitFor({ timeout: 40_000 });
  // What was read last stays, with its age.
  expect(await page.getByTestId('mark').innerText()).toBe('197');
  expect(thrown).toEqual([]);
  await end();
});

test('nodes are chosen in Settings, and bad ones refused in words', async () => {
  const { page, end } = await site.visit('#/settings');
  await page.getByLabel('Node 1', { exact: true }).fill('http://node.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('must begin with https://').waitFor();
  await page.getByLabel('Node 1', { exact: true }).fill(second.served.rpc);
  await page.getByLabel('Websocket of node 1').fill(second.served.websocket);
  await page.getByLabel('Node 2', { exact: true }).fill('');
  await page.getByLabel('Websocket of node 2').fill('');
  await page.getByLabel('Colours of lights').selectOption('colour-blind');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForFunction(
    () =>
      document.documentElement.dataset['palette'] === 'colour-blind' &&
      document.readyState === 'complete',
  );
  await second.price(191_000);
  await page.goto(`${site.url}#/queue`);
  await page.getByTestId('mark').getByText('191', { exact: true }).waitFor();
  await end();
});
