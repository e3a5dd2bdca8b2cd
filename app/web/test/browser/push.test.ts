/**
 * Alerts while no page is open: the wallet proves the account to the real gateway, which pushes to the browser's service
 * worker. Only the way between them, a push service of the internet, is this test's: it takes what the gateway sends.
 */
import { createECDH, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startGateway, type TestGateway } from './gateway';
import { personAt, TestNode, type Person } from './node';
import { TestSite } from './page';

let folder: string;
let node: TestNode;
let gateway: TestGateway;
let service: Server;
let site: TestSite;
let short: Person;
const letters: { encoding: string; authorization: string; bytes: number }[] = [];

async function startService(): Promise<string> {
  service = createServer((request, response) => {
    void request.toArray().then((parts: Buffer[]) => {
      letters.push({
        encoding: String(request.headers['content-encoding']),
        authorization: String(request.headers.authorization),
        bytes: Buffer.concat(parts).length,
      });
      response.writeHead(201).end();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(service.address() as AddressInfo).port}/box`;
}

const alerts = () =>
  `[alerts]\nprivate_webhooks = true\npush_key = "${join(folder, 'push.pem')}"\n` +
  `push_contact = "mailto:operator@gateway.example"\n`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ballast-push-'));
  node = await TestNode.start();
  short = personAt(node.served.seeded.shorts, 0);
  gateway = await startGateway(folder, node.served, alerts());
  site = await TestSite.start([node.served], { gateway: `${gateway.url}/` });
});

afterAll(async () => {
  await site?.stop();
  gateway?.process.kill('SIGTERM');
  service?.closeAllConnections();
  service?.close();
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The browser's push service is this test's: it gives an endpoint and the keys of a browser. */
async function subscribeAt(page: Page, endpoint: string): Promise<void> {
  const browser = createECDH('prime256v1');
  const keys = {
    p256dh: browser.generateKeys().toString('base64url'),
    auth: randomBytes(16).toString('base64url'),
  };
  await page.evaluate(
    ({ endpoint, keys }) => {
      let subscribed: unknown = null;
      Object.assign(PushManager.prototype, {
        subscribe: async (options: PushSubscriptionOptionsInit) => {
          const key = new Uint8Array(options.applicationServerKey as ArrayBuffer);
          if (key.length !== 65 || key[0] !== 4) {
            throw new Error('the key of the gateway is no point');
          }
          const unsubscribe = async () => {
            subscribed = null;
            return true;
          };
          subscribed = { toJSON: () => ({ endpoint, keys }), unsubscribe };
          return subscribed;
        },
        getSubscription: async () => subscribed,
      });
    },
    { endpoint, keys },
  );
}

test('what the gateway pushes is shown as text while the page does nothing', { timeout: 90_000 }, async () => {
  const { page, thrown, end } = await site.visit('#/alerts', short, {
    permissions: ['notifications'],
  });
  await subscribeAt(page, await startService());
  await page.getByRole('button', { name: 'Push alerts to this browser' }).click();
  await page.getByText('Alerts are pushed to this browser.').waitFor();
  await node.price(190_000);
  await expect.poll(() => letters.length, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(letters[0]?.encoding).toBe('aes128gcm');
  expect(letters[0]?.authorization).toMatch(/^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/);

  // What the push service would hand to the browser, opened.
  const session = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [first] = registrations;
      if (first !== undefined) {
        resolve(first.registrationId);
      }
    });
  });
  await session.send('ServiceWorker.enable');
  const text = '<b>SOL-PERP</b>: light 5';
  const push = {
    origin: new URL(page.url()).origin,
    registrationId: await registered,
    data: JSON.stringify({ id: 'a', type: 'alert', raised: true, text }),
  };
  await session.send('ServiceWorker.deliverPushMessage', push);
  await session.send('ServiceWorker.deliverPushMessage', { ...push, data: 'no JSON' });
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const all = await registration.getNotifications();
      return all.map(({ title, body }) => `${title}: ${body}`);
    });
  await expect.poll(shown, { timeout: 20_000 }).toContain(`Ballast: alert: ${text}`);
  await expect
    .poll(async () => (await shown()).some((one) => one.includes('look at the page')))
    .toBe(true);

  // To push no more ends it at the gateway as well: nothing is left that it could tell.
  const ending = page.waitForResponse((answer) => answer.url().endsWith('/v1/push/end'));
  await page.getByRole('button', { name: 'Push no more' }).click();
  expect((await ending).status()).toBe(204);
  await page.getByText('Nothing is pushed to this browser.').waitFor();
  expect(thrown).toEqual([]);
  await end();
});
