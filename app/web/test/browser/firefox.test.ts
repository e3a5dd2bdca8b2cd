/** The page in a real Firefox: it shows the queue, asks the engine, and a deposit signed in it is confirmed. */
import { existsSync } from 'node:fs';

import puppeteer, { type Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { personAt, TestNode } from './node';
import { serve, type Served as Site } from './page';
import { injectWallet } from './wallet';

const FIREFOXES = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];
const executablePath = process.env['BALLAST_FIREFOX'] ?? FIREFOXES.find((path) => existsSync(path));

let node: TestNode;
let site: Site;
let browser: Browser;

beforeAll(async () => {
  if (executablePath !== undefined) {
    [node, browser] = await Promise.all([
      TestNode.start(),
      puppeteer.launch({ browser: 'firefox', executablePath, headless: true }),
    ]);
    site = await serve([node.served]);
  }
});

afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await node?.stop();
});

test.skipIf(executablePath === undefined)('Firefox shows the queue and deposits', async () => {
  const person = personAt(node.served.seeded.longs, -1);
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  const thrown: string[] = [];
  page.on('pageerror', (error) => thrown.push(String(error)));
  await page.evaluateOnNewDocument(injectWallet, {
    address: person.wallet,
    seed: person.keypair.slice(0, 32),
  });
  await page.goto(`${site.url}#/queue`);
  await page.locator('[data-move="-2000"]').wait();
  expect(await page.$$eval('[data-side] tbody tr[data-class]', (rows) => rows.length)).toBe(
    2 * 6 + 1,
  );
  await page.click('.wallet button');
  await page.click('nav a[href^="#/positions"]');
  await page.waitForSelector('[data-testid="collateral"] input');
  await page.type('[data-testid="collateral"] input', '12.5');
  await page.click('[data-testid="collateral"] button[type="submit"]');
  await page.waitForSelector('[data-testid="collateral"] .sent[data-stage="confirmed"]');
  expect(thrown).toEqual([]);
});
