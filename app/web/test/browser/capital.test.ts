/** Insurance, stakes and a pool: joined, asked for and left, with previews that come true to the share. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ballast, personAt, TestNode, type Person } from './node';
import { figure, TestSite } from './page';

let node: TestNode;
let site: TestSite;
let person: Person;
let folder: string;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  person = personAt(node.served.seeded.longs, -1);
  folder = await mkdtemp(join(tmpdir(), 'ballast-capital-'));
  const admin = join(folder, 'admin.json');
  await writeFile(admin, JSON.stringify(node.served.admin));
  await ballast(node.served, 'pool', 'create', '--market', 'SOL-PERP', '--keypair', admin);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

const FUNDS = [
  ['pool', 'Put into the pool', 'Your part of the pool', 4],
  ['stakes', 'Stake behind insurance', 'Your stake', 5],
] as const;

/** The whole way of a deposit: in, asked for, taken back, asked for again, waited for, out. */
async function fullCycle(page: Page, kind: 'pool' | 'stakes', join: string, days: number) {
  const card = page.locator(`[data-fund="${kind}"]`);
  const put = async (amount: string) => {
    await card.getByLabel('Amount').fill(amount);
    await card.getByRole('button', { name: join }).click();
    await card.getByText(`${join} ${amount}: confirmed`).waitFor();
  };
  await put('100');
  await expect.poll(() => figure(card, 'owned_shares')).toBe('100,000,000,000');
  // The shares of the second deposit are those that are foreseen.
  await card.getByLabel('Amount').fill('33.333333');
  const preview = card.getByTestId('join-preview');
  await preview.waitFor();
  const foreseen = await figure(preview, 'owner_shares_after');
  await put('33.333333');
  await expect.poll(() => figure(card, 'owned_shares')).toBe(foreseen);
  const ask = card.getByRole('button', { name: 'Ask for all of it back' });
  await ask.click();
  await card.getByTestId('request').waitFor();
  await card.getByRole('button', { name: 'Take the request back' }).click();
  await ask.click();
  const request = card.getByTestId('request');
  await request.getByText(`, about ${days} days.`).waitFor();
  expect(await card.getByRole('button', { name: 'Withdraw it' }).count()).toBe(0);
  await node.pass(days * 86_400);
  await request.getByText('At most that is paid now').waitFor();
  await card.getByRole('button', { name: 'Withdraw it' }).click();
  await card.getByText(/^Payment of the request: confirmed/).waitFor();
  await expect.poll(() => figure(card, 'owned_shares')).toBe('0');
}

for (const [kind, join, title, days] of FUNDS) {
  test(`${title}: in and out again`, { timeout: 120_000 }, async () => {
    const { page, thrown, end } = await site.visit('#/insurance', person);
    await page.locator(`[data-fund="${kind}"]`).waitFor();
    await fullCycle(page, kind, join, days);
    expect(thrown).toEqual([]);
    await end();
  });
}

test('the ledgers are those of the command line, without a wallet', async () => {
  const [insurance] = (await ballast(node.served, 'insurance')) as [{ ledger_atoms: number }];
  const { page, end } = await site.visit('#/insurance');
  await page.locator('[data-figure="insurance_atoms"]').waitFor();
  const dollars = (Number(insurance.ledger_atoms) / 1e6).toLocaleString('en', {
    maximumFractionDigits: 6,
  });
  expect(await figure(page, 'insurance_atoms')).toBe(dollars);
  await page.locator('[data-move="-2000"]').waitFor();
  await page.getByText('Connect a wallet to join either.').waitFor();
  await end();
});
