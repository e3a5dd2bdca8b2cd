/** A trader from deposit to withdrawal, with previews that come true to the atom. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ballast, personAt, TestNode, type Person } from './node';
import { ended, figure, TestSite } from './page';

let node: TestNode;
let site: TestSite;
let trader: Person;

beforeAll(async () => {
  node = await TestNode.start();
  site = await TestSite.start([node.served]);
  trader = personAt(node.served.seeded.longs, -1);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

type Positions = { free_atoms: number; positions: { [name: string]: unknown }[] };

/** What the command line says of a trader account. */
async function told(person: Person): Promise<Positions> {
  return (await ballast(node.served, 'positions', '--trader', person.trader)) as Positions;
}

test('a deposit is confirmed, and the free collateral is what the chain says', async () => {
  const { page, end, thrown } = await site.visit('#/positions', trader);
  await page.locator('[data-figure="free_atoms"]').waitFor();
  await page.getByLabel('Amount').fill('100.5');
  await page.getByRole('button', { name: 'Deposit', exact: true }).click();
  const collateral = page.getByTestId('collateral');
  expect(await ended(collateral)).toMatch(/^Deposit of 100\.5: confirmed in slot \d+/);
  const { free_atoms } = await told(trader);
  await expect
    .poll(() => figure(page, 'free_atoms'))
    .toBe((Number(free_atoms) / 1e6).toLocaleString('en', { maximumFractionDigits: 6 }));
  expect(thrown).toEqual([]);
  await end();
});

test('the figures of a position are those of the command line', async () => {
  const { page, end } = await site.visit('#/positions', trader);
  const card = page.locator('[data-position="0"]');
  await card.locator('[data-figure="equity_atoms"]').waitFor();
  const [position] = (await told(trader)).positions;
  const dollars = (name: string) =>
    (Number(position?.[name]) / 1e6)
      .toLocaleString('en', { maximumFractionDigits: 6 })
      .replace('-', '−');
  for (const name of [
    'equity_atoms',
    'margin_atoms',
    'notional_atoms',
    'maintenance_atoms',
    'pnl_atoms',
  ]) {
    expect(await figure(card, name), name).toBe(dollars(name));
  }
  for (const name of ['entry_price', 'liquidation_price', 'bankruptcy_price']) {
    expect(await figure(card, name), name).toBe(position?.[name]);
  }
  expect(await figure(card, 'light')).toBe(String(position?.['light'] ?? 'none'));
  expect(await figure(card, 'margin_ratio_bps')).toBe(
    `${Number(position?.['margin_ratio_bps']) / 100} %`,
  );
  await end();
});

test('an order does what its preview says, to the atom', async () => {
  const { page, end } = await site.visit('#/trade', trader);
  await page.getByRole('textbox', { name: 'Price', exact: true }).fill('200.5');
  await page.getByLabel('Size').fill('2');
  const preview = page.getByTestId('preview');
  await preview.waitFor();
  const figures = (scope: typeof preview) =>
    scope
      .locator('[data-figure]')
      .evaluateAll((all) =>
        Object.fromEntries(
          all.map((one) => [one.getAttribute('data-figure'), one.querySelector('dd')?.textContent]),
        ),
      );
  const foreseen = await figures(preview);
  expect(foreseen['filled_lots']).toBe('2,000');
  expect(foreseen['average_price']).toMatch(/^200\.\d+$/);
  await page.getByRole('button', { name: /^Buy / }).click();
  expect(await ended(page)).toMatch(/confirmed in slot/);
  const outcome = page.getByTestId('outcome');
  await outcome.waitFor();
  const happened = await figures(outcome);
  const shared = Object.keys(happened).filter((name) => name in foreseen);
  expect(shared).toEqual(
    expect.arrayContaining([
      'fee_atoms',
      'filled_lots',
      'margin_added_atoms',
      'after_margin_atoms',
      'reserved_atoms',
    ]),
  );
  expect(happened).toEqual(Object.fromEntries(shared.map((name) => [name, foreseen[name]])));
  const fills = await page
    .getByTestId('fills')
    .locator('li')
    .evaluateAll((all) =>
      all.map(
        (one) =>
          [Number(one.getAttribute('data-lots')), Number(one.getAttribute('data-ticks'))] as const,
      ),
    );
  const cost = fills.reduce((sum, [lots, ticks]) => sum + lots * ticks, 0);
  expect(foreseen['average_price']).toBe(String(Math.floor((cost * 100) / 2_000) / 100_000));
  // What the position became is what was foreseen, by the command line too.
  const [position] = (await told(trader)).positions;
  expect(foreseen['after_liquidation_price']).toBe(position?.['liquidation_price']);
  expect(foreseen['after_light']).toBe(String(position?.['light'] ?? 'none'));
  await end();
});

test('an order waits in the book until it is cancelled', async () => {
  const { page, end } = await site.visit('#/trade', trader);
  await page.getByLabel('Type').selectOption({ label: 'post only: waits, never takes' });
  await page.getByRole('textbox', { name: 'Price', exact: true }).fill('198.123');
  await page.getByLabel('Size').fill('1');
  await page.getByTestId('preview').waitFor();
  await page.getByRole('button', { name: /^Buy / }).click();
  expect(await ended(page.locator('form.order'))).toMatch(/confirmed/);
  await page.locator('.depth').getByText('198.123').waitFor();
  const own = page.getByRole('region', { name: 'Your orders' });
  await own.getByRole('button', { name: 'Cancel buy at 198.123' }).click();
  expect(await ended(own)).toMatch(/^Cancelling order \d+: confirmed/);
  await own.getByText('None waits.').waitFor();
  await end();
});

test('a refusal is the program’s sentence, and a signature refused sends nothing', async () => {
  const { page, end } = await site.visit('#/trade', trader);
  await page.getByRole('textbox', { name: 'Price', exact: true }).fill('200');
  await page.getByLabel('Size').fill('0.0001');
  await page.getByRole('alert').getByText('0.0001 is not a multiple of 0.001').waitFor();
  await page.getByLabel('Size').fill('3000');
  await page.getByRole('button', { name: /^Buy / }).click();
  expect(await ended(page)).toMatch(/refused: [A-Z].+; .+\.$/);
  await page.evaluate(() => Object.assign(window, { walletRefuses: true }));
  await page.getByLabel('Size').fill('1');
  await page.getByRole('button', { name: /^Buy / }).click();
  await page.getByText('refused: you have not signed; nothing was sent.').waitFor();
  await end();
});

test('stop-loss, take-profit and protective steps are set and taken back', async () => {
  const { page, end } = await site.visit('#/positions', trader);
  const card = page.locator('[data-position="0"]');
  await card.getByText('Stop-loss and take-profit').click();
  await card.getByLabel('Stop-loss: close all when the mark reaches').fill('190');
  await card.getByRole('button', { name: 'Set stop-loss' }).click();
  await card.getByRole('button', { name: /^Clear stop-loss at 190 / }).click();
  await card.getByText(/^Stop-loss cleared: confirmed/).waitFor();
  await card
    .getByText(/^Protective steps/)
    .first()
    .click();
  const steps = card.getByLabel(/^Steps, ratio:keep/);
  await steps.fill('150:50, 120:0');
  await card.getByRole('button', { name: 'Set steps' }).click();
  await card.getByText('below 120 % keep 0 % of the position').waitFor();
  await steps.fill('nonsense');
  await card.getByRole('button', { name: 'Set steps' }).click();
  await card.getByText('"nonsense" is no step').waitFor();
  await card.getByRole('button', { name: 'Close, rent back' }).click();
  await card.getByText(/^Protective steps closed: confirmed/).waitFor();
  await end();
});

test('a position is closed in one click, and what is free is withdrawn', async () => {
  const { page, end } = await site.visit('#/positions', trader);
  const card = page.locator('[data-position="0"]');
  const close = card.getByRole('button', { name: 'Close at the market' });
  expect(await close.isEnabled()).toBe(true);
  // The page may learn that the position is gone before it asks what became of the transaction.
  await page.route(`${node.served.rpc}/**`, async (route) => {
    if (route.request().postData()?.includes('getSignatureStatuses') === true) {
      await card.waitFor({ state: 'detached' });
    }
    await route.continue();
  });
  await close.click();
  await page.getByText(/^Closing [\d.]+ of SOL-PERP: confirmed in slot \d+/).waitFor();
  await expect.poll(async () => (await told(trader)).positions.length).toBe(0);
  await page.getByText('No position and no order.').waitFor();
  await page.getByLabel('Amount').fill('999999999');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  expect(await ended(page.getByTestId('collateral'))).toMatch(
    /refused: InsufficientCollateral: .*deposit first/,
  );
  await page.getByRole('button', { name: 'All that is free' }).click();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText(/^Withdrawal of [\d,.]+: confirmed/).waitFor();
  await expect.poll(() => figure(page, 'free_atoms')).toBe('0');
  expect((await told(trader)).free_atoms).toBe(0);
  await end();
});
