/** A rehearsal's report: decided again where it is honest, named where it is altered, refused where it is none. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { figure, TestSite } from './page';

const REPORT = fileURLToPath(new URL('../../../test/fixtures/report.json', import.meta.url));

let site: TestSite;

beforeAll(async () => {
  // No node is asked for a report.
  site = await TestSite.start([{ rpc: 'http://127.0.0.1:1', websocket: 'ws://127.0.0.1:1' }]);
});

afterAll(() => site?.stop());

const file = (text: string) => ({
  name: 'report.json',
  mimeType: 'application/json',
  buffer: Buffer.from(text),
});

test('an honest report is decided again, and the crash is replayed', async () => {
  const { page, thrown, end } = await site.visit('#/rehearsal');
  await page.getByLabel('Report').setInputFiles(REPORT);
  const verdict = page.locator('[data-verdict="good"]');
  await verdict.waitFor();
  expect(await verdict.innerText()).toMatch(
    /5 rounds decided again in this page: \d+ figures agree/,
  );
  const cut = page.locator('[data-stage-of="deleveraging"] td').first();
  const inTheEnd = await cut.innerText();
  const price = await figure(page, 'replay_price');
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('Home');
  expect(await page.getByText('Price 1 of 3').count()).toBe(1);
  expect(await figure(page, 'replay_price')).not.toBe(price);
  expect(await cut.innerText()).not.toBe(inTheEnd);
  expect(thrown).toEqual([]);
  await end();
});

test('an altered report names the figure', async () => {
  const report = JSON.parse(await readFile(REPORT, 'utf8'));
  report.adl[0].winners_gave_up_atoms += 1;
  const { page, end } = await site.visit('#/rehearsal');
  await page.getByLabel('Report').setInputFiles(file(JSON.stringify(report)));
  const verdict = page.locator('[data-verdict="bad"]');
  await verdict.waitFor();
  expect(await verdict.innerText()).toMatch(/round 1: .*gave_up/);
  await end();
});

test('what is no report is refused in a sentence', async () => {
  const { page, end } = await site.visit('#/rehearsal');
  await page.getByLabel('Report').setInputFiles(file('{"report_version": 1}'));
  await page.getByRole('alert').getByText('rehearse again').waitFor();
  await page.getByLabel('Report').setInputFiles(file('<script>'));
  await page.getByRole('alert').getByText('not a rehearsal').waitFor();
  await end();
});
