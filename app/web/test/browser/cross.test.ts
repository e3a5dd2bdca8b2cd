/** An account whose legs share collateral is shown with what the command line says of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { ballast, personAt, TestNode, type Person } from './node';
import { figure, TestSite } from './page';

let node: TestNode;
let site: TestSite;
let person: Person;
let folder: string;

/** A key as the command line takes it. */
async function key(name: string, bytes: readonly number[]): Promise<string> {
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(bytes));
  return file;
}

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  person = personAt(node.served.seeded.longs, 0);
  folder = await mkdtemp(join(tmpdir(), 'ballast-cross-'));
  const admin = await key('admin', node.served.admin);
  const market = ['--market', 'SOL-PERP'] as const;
  const most = ['--most', '500', '--legs', '16', '--keypair', admin] as const;
  await ballast(node.served, 'admin', 'enable-cross', ...market, ...most);
  const own = await key('own', person.keypair);
  await ballast(node.served, 'cross', 'join', ...market, '--keypair', own);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a leg is shown with its account', { timeout: 60_000 }, async () => {
  const own = join(folder, 'own.json');
  type Shown = { pool_atoms: number; equity_atoms: number; legs: { bankruptcy_price: string }[] };
  const shown = (await ballast(node.served, 'account', '--keypair', own)) as Shown;
  const dollars = (atoms: number) =>
    (atoms / 1e6).toLocaleString('en', { maximumFractionDigits: 6 });
  const { page, thrown, end } = await site.visit('#/positions', person);
  const card = page.getByTestId('cross-account');
  await card.waitFor();
  expect(await figure(card, 'pool_atoms')).toBe(dollars(shown.pool_atoms));
  expect(await figure(card, 'cross_equity_atoms')).toBe(dollars(shown.equity_atoms));
  expect(await card.getByTestId('cross-health').textContent()).toBe('healthy');
  const leg = card.locator('[data-leg="0"]');
  expect(await leg.textContent()).toContain('SOL-PERP: long');
  const price = Number(shown.legs[0]?.bankruptcy_price).toLocaleString('en', {
    maximumFractionDigits: 6,
  });
  expect(await leg.textContent()).toContain(price);
  await page.getByText('No isolated position and no order.').waitFor();
  expect(thrown).toEqual([]);
  await end();
});
