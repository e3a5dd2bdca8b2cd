/** The page with a gateway: history and candles come from it, a forged answer turns red, and without it the page does without. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { address, createNoopSigner } from '@solana/kit';
import { getGrowQueueInstruction } from 'ballast-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { deleverage, marketNow, sendAs, standBack } from './crank';
import { startGateway, type TestGateway } from './gateway';
import { ballast, personAt, TestNode, type Person } from './node';
import { figure, TestSite } from './page';

let folder: string;
let node: TestNode;
let gateway: TestGateway;
let between: Server;
let site: TestSite;
let winner: Person;
/** What stands between page and gateway does. */
let does: 'pass' | 'forge' | 'break' = 'pass';

/** Somebody on the way who may forge what the gateway says, or break the line. */
async function startBetween(target: string): Promise<string> {
  between = createServer((request, response) => {
    if (does === 'break') {
      request.socket.destroy();
      return;
    }
    void fetch(`${target}${request.url}`).then(async (answer) => {
      let text = await answer.text();
      if (does === 'forge' && request.url?.includes('/history') === true) {
        const page = JSON.parse(text) as { rows: { kind: string; amount: string }[] };
        for (const row of page.rows.filter(({ kind }) => kind === 'cut')) {
          row.amount = `${row.amount.slice(0, -1)}${(Number(row.amount.at(-1)) + 1) % 10}`;
        }
        text = JSON.stringify(page);
      }
      const type = answer.headers.get('content-type') ?? 'text/plain';
      response
        .writeHead(answer.status, { 'content-type': type, 'access-control-allow-origin': '*' })
        .end(text);
    });
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(between.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ballast-gateway-test-'));
  node = await TestNode.start();
  winner = personAt(node.served.seeded.shorts, 0);
  gateway = await startGateway(folder, node.served);
  const url = await startBetween(gateway.url);
  site = await TestSite.start([node.served], { gateway: url });
  await standBack(node);
  await node.price(180_000);
  await deleverage(node, personAt(node.served.seeded.longs, 0));
});

afterAll(async () => {
  await site?.stop();
  gateway?.process.kill('SIGTERM');
  between?.closeAllConnections();
  between?.close();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('who was cut reads it from the gateway, and has it decided again from the node', async () => {
  does = 'pass';
  const { page, thrown, end } = await site.visit('#/history', winner);
  const cut = page.locator('[data-cut]');
  await cut.first().waitFor();
  await cut.getByRole('button', { name: 'Why me?' }).click();
  const verdict = page.locator('[data-verdict="good"]');
  await verdict.waitFor();
  expect(await verdict.innerText()).toMatch(/\d+ figures agree/);
  expect(await page.locator('[data-row="fill"]').count()).toBeGreaterThan(0);
  expect(thrown).toEqual([]);
  await end();
});

test('a forged answer of the gateway turns red', async () => {
  does = 'forge';
  const { page, end } = await site.visit('#/history', winner);
  await page.locator('[data-cut]').getByRole('button', { name: 'Why me?' }).click();
  const verdict = page.locator('[data-verdict="bad"]');
  await verdict.waitFor();
  expect(await verdict.innerText()).toMatch(/gateway says .*by your own node it is/);
  does = 'pass';
  await end();
});

test('candles of the gateway stand beside the marks of a position', async () => {
  const { page, end } = await site.visit('#/trade', winner);
  await page.locator('[data-candle]').first().waitFor();
  const candles = page.getByTestId('candles');
  for (const level of ['entered at', 'liquidated from']) {
    await candles.locator('li').getByText(level).waitFor();
  }
  // It was entered where others traded, so its line is on the chart.
  await candles.locator('[data-level="entered at"] line').waitFor({ state: 'attached' });
  await end();
});

test('how the parameters of a market became so is told by the gateway', async () => {
  const admin = join(folder, 'admin.json');
  await writeFile(admin, JSON.stringify(node.served.admin));
  const { page, end } = await site.visit('#/markets');
  await page.locator('[data-market="0"]').getByText('Risk parameters').click();
  const told = page.getByTestId('parameters');
  await told.getByText('Nothing has changed since they were made.').waitFor();
  const restrict = ['guardian', 'reduce-only', '--market', 'SOL-PERP', '--keypair', admin];
  await ballast(node.served, ...restrict);
  const row = told.locator('[data-parameter="reduce_only"]');
  await row.waitFor();
  expect(await row.locator('td').allInnerTexts()).toEqual([
    expect.stringContaining(':'),
    'reduce only',
    'false',
    'true',
  ]);
  await end();
});

test('in a large queue the gateway says where a position stands', async () => {
  const { keys } = await marketNow(node);
  const payer = createNoopSigner(address(node.served.seeded.maker.wallet));
  await node.control('fund', { address: payer.address, lamports: 100_000_000_000 });
  const grown = getGrowQueueInstruction({
    payer,
    market: keys.address,
    queue: keys.queueLong,
    positions: 98,
  });
  // Until both queues together have room for more than 4,000 positions.
  const room = async () => {
    const { accounts } = await marketNow(node);
    const queues = [accounts.queueLong, accounts.queueShort];
    return queues.reduce((sum, queue) => sum + ('data' in queue ? queue.data.length : 0), 0);
  };
  while ((await room()) <= 4_100 * 104) {
    await sendAs(node, node.served.seeded.maker, [grown, grown, grown, grown, grown, grown]);
  }
  const { page, end } = await site.visit('#/positions', winner);
  const told = page.getByTestId('place-of-gateway');
  await told.waitFor();
  const place = page.locator('[data-place]');
  const asked = await fetch(`${gateway.url}/v1/markets/0/queue/${winner.trader}`);
  const said = (await asked.json()) as { rank: number; first_in_line_price: string };
  expect(await figure(place, 'first_in_line')).toBe(said.first_in_line_price);
  expect(await figure(place, 'rank')).toMatch(new RegExp(`^${said.rank} of `));
  // A new price moves it by itself, although the page does not read this market again.
  await node.price(179_500);
  await told.getByText('at 179.5: this queue is large').waitFor();
  await end();
});

test('without the gateway the page says so and does without, until it is back', async () => {
  does = 'break';
  const { page, end } = await site.visit('#/history', winner);
  const banner = page.getByTestId('gateway-banner');
  await banner.waitFor();
  await page.locator('[data-event="AutoDeleveraged"]').first().waitFor();
  does = 'pass';
  await banner.waitFor({ state: 'detached' });
  await page.locator('[data-cut]').first().waitFor();
  await end();
});
