/** The queue: public, equal to what the command line says. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { ballast, TestNode, type Served } from './node';
import { figure, TestSite } from './page';

type Place = { trader: string; rank: number; light: number };
type Queues = {
  sides: { side: string; positions: number; lights: { positions: number }[]; places: Place[] }[];
};

/** Positions of the seeded market: the maker has sold a little besides. */
const LONGS = 6;
const SHORTS = 7;

let node: TestNode;
let served: Served;
let site: TestSite;

beforeAll(async () => {
  node = await TestNode.start();
  served = node.served;
  site = await TestSite.start([served]);
});

afterAll(async () => {
  await site?.stop();
  await node?.stop();
});

test('lights and places are those of the command line', async () => {
  await node.price(195_000);
  const { page, thrown, end } = await site.visit('#/queue');
  await page.getByTestId('mark').getByText('195', { exact: true }).waitFor();
  const told = (await ballast(served, 'queue', '--top', '10')) as Queues;
  for (const side of told.sides) {
    const section = page.locator(`[data-side="${side.side}"]`);
    const places = await section
      .locator('tbody tr[data-class] code')
      .evaluateAll((all) => all.map((one) => one.getAttribute('data-address')));
    expect(places).toEqual(side.places.map((place) => place.trader));
    for (const [light, { positions }] of side.lights.entries()) {
      expect(await section.locator(`tr[data-light="${light}"] td`).last().innerText()).toBe(
        String(positions),
      );
    }
  }
  expect(told.sides.map((side) => side.positions)).toEqual([LONGS, SHORTS]);
  expect(thrown).toEqual([]);
  await end();
});

test('any address has its place, and the mark at which it would be first', async () => {
  await node.price(195_000);
  const second = served.seeded.shorts[1];
  const { page, end } = await site.visit('#/queue');
  await page.getByTestId('mark').getByText('195', { exact: true }).waitFor();
  await page.getByLabel('Wallet or trader account').fill(second?.wallet ?? '');
  await page.getByRole('button', { name: 'Look up' }).click();
  const place = page.locator(`[data-place="${second?.trader}"]`);
  await place.waitFor();
  const { sides } = (await ballast(served, 'queue', '--trader', second?.trader ?? '')) as {
    sides: {
      side: string;
      trader: { rank: number; light: number; first_in_line_price: string | null } | null;
    }[];
  };
  const told = sides.find(({ side }) => side === 'short')?.trader;
  expect(await figure(place, 'rank')).toBe(`${told?.rank} of ${SHORTS} who can be cut`);
  expect(await figure(place, 'light')).toBe(String(told?.light));
  expect(await figure(place, 'first_in_line')).toBe(told?.first_in_line_price ?? 'no mark');
  await page.getByLabel('Wallet or trader account').fill('<script>');
  await page.getByRole('button', { name: 'Look up' }).click();
  await page.getByRole('alert').getByText('"<script>" is no address').waitFor();
  await end();
});

test('the gap curve stands against insurance', async () => {
  await node.price(200_000);
  const { page, end } = await site.visit('#/queue');
  await page.getByTestId('mark').getByText('200', { exact: true }).waitFor();
  const told = (await ballast(served, 'gap', '--moves', '10,20')) as {
    insurance_available_atoms: number;
    gaps: { move_bps: number; bankrupt_positions: number }[];
  };
  const row = page.locator('tr[data-move="-1000"]');
  const expected = told.gaps.find((gap) => gap.move_bps === -1_000);
  expect(await row.locator('td').nth(1).innerText()).toBe(String(expected?.bankrupt_positions));
  // The donation of 20, and its part of the fees of the seeded market.
  expect(told.insurance_available_atoms).toBeGreaterThan(20_000_000);
  expect(await figure(page, 'insurance')).toBe(
    (told.insurance_available_atoms / 1e6).toLocaleString('en', { maximumFractionDigits: 6 }),
  );
  expect(await figure(page, 'pool')).toBe('none');
  await end();
});

test('a new price moves the page by itself, and its age is told', async () => {
  const { page, end } = await site.visit('#/queue');
  await node.price(190_000);
  await page.getByTestId('mark').getByText('190', { exact: true }).waitFor();
  await page
    .getByTestId('age')
    .getByText(/^read \d s ago$/)
    .waitFor();
  await node.price(200_000);
  await page.getByTestId('mark').getByText('200', { exact: true }).waitFor();
  await end();
});
