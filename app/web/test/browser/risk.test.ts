/** How likely a cut is, on the page: what the real gateway makes of the fills it has seen, and nothing without one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  address,
  appendTransactionMessageInstruction,
  compileTransaction,
  createKeyPairFromBytes,
  createNoopSigner,
  createSolanaRpc,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransaction,
} from '@solana/kit';
import { getBlockTradeInstruction } from 'ballast-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { marketNow } from './crank';
import { startGateway, type TestGateway } from './gateway';
import { personAt, TestNode, type Person } from './node';
import { figure, TestSite } from './page';

/** Minutes in which somebody trades. */
const MINUTES = 300;
/** What a lot more needs at most, atoms. */
const MARGIN = 1_000_000n;

let folder: string;
let node: TestNode;
let gateway: TestGateway;
let site: TestSite;
let direct: TestSite;
let winner: Person;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ballast-risk-test-'));
  node = await TestNode.start();
  winner = personAt(node.served.seeded.shorts, 0);
  gateway = await startGateway(folder, node.served);
  site = await TestSite.start([node.served], { gateway: `${gateway.url}/` });
  direct = await TestSite.start([node.served]);
});

afterAll(async () => {
  await direct?.stop();
  await site?.stop();
  gateway?.process.kill('SIGTERM');
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A long and the market maker trade a lot to and fro, once a minute, at prices that go up and down. */
async function tradeForHours(): Promise<void> {
  const [taker, maker] = [personAt(node.served.seeded.longs, -1), node.served.seeded.maker];
  const keys = await Promise.all(
    [taker, maker].map(({ keypair }) => createKeyPairFromBytes(new Uint8Array(keypair))),
  );
  const { keys: market } = await marketNow(node);
  const rpc = createSolanaRpc(node.served.rpc);
  let ticks = 200_000;
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const move = 800 + 12 * ((minute * 7) % 100);
    ticks += (minute * 13) % 29 < 14 ? move : -move;
    ticks = ticks > 196_000 && ticks < 204_000 ? ticks : 200_000;
    await node.pass(60);
    await node.price(ticks);
    const trade = getBlockTradeInstruction({
      takerAuthority: createNoopSigner(address(taker.wallet)),
      makerAuthority: createNoopSigner(address(maker.wallet)),
      market: market.address,
      taker: address(taker.trader),
      maker: address(maker.trader),
      book: market.book,
      queueLong: market.queueLong,
      queueShort: market.queueShort,
      price: market.price,
      args: {
        lots: minute % 2 === 0 ? 1 : -1,
        priceTicks: ticks,
        takerMargin: MARGIN,
        makerMargin: MARGIN,
      },
    });
    const { value: lifetime } = await rpc.getLatestBlockhash().send();
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (one) => setTransactionMessageFeePayer(address(taker.wallet), one),
      (one) => setTransactionMessageLifetimeUsingBlockhash(lifetime, one),
      (one) => appendTransactionMessageInstruction(trade, one),
    );
    const signed = await signTransaction(keys, compileTransaction(message));
    const wire = getBase64EncodedWireTransaction(signed);
    await rpc.sendTransaction(wire, { encoding: 'base64' }).send();
  }
}

/** What the gateway says of the winner. */
async function told(more = ''): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${gateway.url}/v1/markets/0/risk?trader=${winner.trader}${more}`);
  return { status: answer.status, text: await answer.text() };
}

test('a position says how likely it is cut, with what that rests on', { timeout: 180_000 }, async () => {
  const before = await site.visit('#/positions', winner);
  await before.page.getByTestId('forecast').getByText('give a longer history').waitFor();
  await before.end();

  await tradeForHours();
  await expect.poll(async () => (await told()).status, { timeout: 60_000, interval: 1_000 }).toBe(200);
  const { page, thrown, end } = await site.visit('#/positions', winner);
  const shown = page.getByTestId('forecast');
  await shown.locator('[data-figure="cut"]').waitFor();
  const said = JSON.parse((await told()).text) as {
    made: { source: string };
    positions: { cut: { ppm: number }; expected_gave_up_atoms: number; trader: string }[];
  };
  const [own] = said.positions;
  expect(own?.trader).toBe(winner.trader);
  // It stands first in a market that moves by more than half a per cent a minute.
  expect(own?.cut.ppm).toBeGreaterThan(20_000);
  const percent = `${String(Number(own?.cut.ppm) / 10_000)} %`;
  expect(await figure(shown, 'cut')).toMatch(new RegExp(`^${percent} \\([\\d.]+ % to [\\d.]+ %\\)$`));
  const dollars = (Number(own?.expected_gave_up_atoms) / 1e6).toLocaleString('en', {
    maximumFractionDigits: 6,
  });
  expect((await figure(shown, 'gave_up')).split(', ')[0]).toBe(dollars);
  const rests = await shown.innerText();
  expect(rests).toContain('200 paths of 24 h');
  expect(rests).toContain(said.made.source);

  // What would halve it is played on when it is asked for.
  await shown.getByRole('button', { name: 'What would halve it?' }).click();
  const fixes = shown.getByTestId('fixes');
  await fixes.waitFor();
  type Fix = { change: string; atoms?: number; cut: { ppm: number } };
  const halved = (JSON.parse((await told('&fixes=true')).text) as { positions: { fixes?: Fix[] }[] })
    .positions[0]?.fixes;
  expect(await fixes.locator('li').count()).toBe(halved?.length ?? 0);
  for (const { change, atoms, cut } of halved ?? []) {
    expect(2 * cut.ppm).toBeLessThanOrEqual(Number(own?.cut.ppm));
    const line = await fixes.locator(`[data-fix="${change}"]`).innerText();
    expect(line).toContain(`${cut.ppm / 10_000} %`);
    const margin = (Number(atoms ?? 0) / 1e6).toLocaleString('en', { maximumFractionDigits: 6 });
    expect(line).toMatch(change === 'close' ? /^closing / : new RegExp(`^adding ${margin} of margin`));
  }
  expect(thrown).toEqual([]);
  await end();

  const without = await direct.visit('#/positions', winner);
  await without.page.locator('[data-figure="first_in_line"]').waitFor();
  expect(await without.page.getByTestId('forecast').count()).toBe(0);
  await without.end();
});
