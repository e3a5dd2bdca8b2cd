/** Bytes of the chain are text, and the page reaches nobody but its nodes. */
import { getBase64Decoder, getBase64Encoder } from '@solana/kit';
import { MARKET_DISCRIMINATOR } from 'ballast-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { TestNode } from './node';
import { TestSite } from './page';

/** Sixteen characters, as long as a name may be. */
const NAME = '<script>alert(1)';
/** Where a market has its name. */
const NAME_AT = 16;

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

test('a market named as a script is a name', async () => {
  const { page, thrown, end } = await site.visit('#/settings');
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => (dialogs.push(dialog.message()), void dialog.dismiss()));
  await page.route(node.served.rpc, async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, body: renamed(await response.text()) });
  });
  for (const hash of ['#/queue', '#/trade']) {
    await page.goto(`${site.url}${hash}`);
    await page.getByText(`${NAME} at`).waitFor();
    expect(await page.getByLabel('Market').locator('option').innerText()).toBe(NAME);
    expect(await page.locator('script:not([src])').count()).toBe(0);
  }
  expect([dialogs, thrown]).toEqual([[], []]);
  await end();
});

/** The answer with another name in every market account. */
function renamed(answer: string): string {
  const parsed = JSON.parse(answer) as {
    result?: { value?: ({ data?: [string, string] } | null)[] };
  };
  const found = parsed.result?.value;
  for (const account of Array.isArray(found) ? found : []) {
    if (account?.data === undefined) {
      continue;
    }
    const bytes = new Uint8Array(getBase64Encoder().encode(account.data[0]));
    if (MARKET_DISCRIMINATOR.every((byte, at) => bytes[at] === byte)) {
      bytes.set(new TextEncoder().encode(NAME), NAME_AT);
      account.data[0] = getBase64Decoder().decode(bytes);
    }
  }
  return JSON.stringify(parsed);
}

test('the policy of the page stops scripts of others and requests to others', async () => {
  const other = await TestSite.start([node.served]);
  const { page, end } = await site.visit('#/queue');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).origin));
  await page.getByTestId('mark').waitFor();
  const reached = await page.evaluate(
    (url) =>
      fetch(url).then(
        () => 'reached',
        () => 'stopped',
      ),
    `${other.url}config.json`,
  );
  expect(reached).toBe('stopped');
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    return 'ran' in window;
  });
  expect(ran).toBe(false);
  await page.reload();
  await page.getByTestId('mark').waitFor();
  const allowed = [site.url, node.served.rpc].map((url) => new URL(url).origin);
  expect(
    [...new Set(asked)].filter(
      (origin) => !allowed.includes(origin) && origin !== new URL(other.url).origin,
    ),
  ).toEqual([]);
  await end();
  await other.stop();
});
