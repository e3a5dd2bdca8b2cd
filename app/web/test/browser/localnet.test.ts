/** A market in one command: a visitor comes, trades, sees a crash, is cut, reads why and leaves with the money. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { command, MARKET, ORACLE, PROGRAM, GATE } from './node';
import { ended, figure, TestSite } from './page';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

let folder: string;
let market: ChildProcess;
let site: TestSite;

/** Whether this machine has a test validator: where `ballast-localnet` looks for one. */
function hasValidator(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const named = process.env['SOLANA_TEST_VALIDATOR'] ?? '';
  return named !== '' || folders.some((folder) => existsSync(join(folder, 'solana-test-validator')));
}

/** Starts the market; where the page is. */
async function start(embedded: boolean): Promise<string> {
  market = spawn(
    command('ballast-localnet'),
    [
      ...(embedded ? ['--embedded'] : []),
      ...['--program', PROGRAM, '--gate', GATE, '--oracle', ORACLE, '--market', MARKET],
      ...['--app', DIST, '--logs', join(folder, 'logs'), '--port', '0', '--pairs', '8'],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    market.once('exit', (code) => reject(new Error(`ballast-localnet ended with ${code}`)));
    createInterface({ input: market.stdout! }).on('line', (line) => {
      const [, url] = /^page\s+(\S+)/.exec(line) ?? [];
      if (url !== undefined) {
        resolve(url);
      }
    });
  });
}

/** The processes that a process has started. */
async function children(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const text = /^\d+$/.test(name)
      ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
      : '';
    const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
    if (text !== '' && parent === pid) {
      found.push(Number(name));
    }
  }
  return found;
}

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** The embedded node, and the reference where there is one. */
const NODES = [
  { node: 'the embedded node', embedded: true },
  ...(hasValidator() ? [{ node: 'the test validator', embedded: false }] : []),
];

describe.each(NODES)('on $node', ({ embedded }) => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ballast-localnet-test-'));
    site = await TestSite.at(await start(embedded));
  }, 180_000);

  afterAll(async () => {
    market?.kill('SIGKILL');
    await site?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test(
    'a visitor trades, is cut in a crash, reads why and withdraws',
    { timeout: 300_000 },
    async () => {
      const { page, thrown, end } = await site.visit('#/positions');
      page.setDefaultTimeout(60_000);
      await page.getByRole('button', { name: 'Connect burner wallet' }).click();
      await page.getByRole('button', { name: 'All of the wallet' }).waitFor();
      await expect.poll(() => figure(page, 'wallet_atoms'), { timeout: 30_000 }).toBe('10,000');
      await page.getByLabel('Amount').fill('5000');
      await page.getByRole('button', { name: 'Deposit', exact: true }).click();
      expect(await ended(page.getByTestId('collateral'))).toMatch(/confirmed in slot/);

      // The market maker quotes both sides, and others trade with it.
      await page.getByRole('link', { name: 'Trade' }).click();
      await page.locator('.depth tbody tr').nth(1).waitFor();
      await page.getByLabel('Sell', { exact: true }).check();
      await page
        .getByLabel('Type')
        .selectOption({ label: 'market: fills now within the price band' });
      await page.getByLabel('Size').fill('2');
      await page.getByTestId('preview').waitFor();
      await page.getByRole('button', { name: /^Sell / }).click();
      expect(await ended(page.locator('form.order'))).toMatch(/confirmed in slot/);

      await page.getByRole('link', { name: 'Positions' }).click();
      const card = page.locator('[data-position="0"]');
      await card.locator('[data-figure="light"]').first().waitFor();
      await page.getByRole('button', { name: 'Crash: −10 %' }).click();
      await expect.poll(() => figure(card, 'light'), { timeout: 30_000 }).toBe('5');

      await page.getByRole('link', { name: 'History' }).click();
      // The gateway of the market tells of it.
      await page.locator('[data-cut]').first().waitFor();
      await page.getByRole('button', { name: 'Why me?' }).first().click();
      await page.locator('[data-verdict="good"]').waitFor();
      expect(await page.locator('[data-verdict="good"]').innerText()).toMatch(/\(you\)/);

      await page.getByRole('link', { name: 'Positions' }).click();
      await page.getByRole('button', { name: 'All that is free' }).click();
      await page.getByRole('button', { name: 'Withdraw' }).click();
      expect(await ended(page.getByTestId('collateral'))).toMatch(/^Withdrawal of .*confirmed/);
      expect(thrown).toEqual([]);
      await end();
    },
  );

  test('takers trade, the price jumps by word of mouth, and Ctrl-C ends everything', async () => {
    const said = new Promise<string>((resolve) =>
      createInterface({ input: market.stdout! }).on('line', (line) => {
        if (line.startsWith('price')) {
          resolve(line);
        }
      }),
    );
    market.stdin!.write('rally\n');
    expect(await said).toMatch(/^price +\d+\.\d{3}$/);
    const started = await children(market.pid!);
    expect(started.length).toBeGreaterThan(0);
    const over = new Promise((resolve) => market.once('exit', resolve));
    market.kill('SIGINT');
    expect(await over).toBe(0);
    expect(started.filter(alive)).toEqual([]);
  });
});
