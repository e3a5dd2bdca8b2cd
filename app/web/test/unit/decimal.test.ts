import { expect, test } from 'vitest';

import {
  age,
  atomsOf,
  bpsOf,
  decimal,
  grouped,
  percent,
  plainDecimal,
  shortAddress,
} from '../../src/decimal';

test('whole numbers become decimals to their last digit', () => {
  expect(decimal('9007199254740993123456', 6)).toBe('9,007,199,254,740,993.123456');
  expect(decimal(-1_500_000n, 6)).toBe('−1.5');
  expect(decimal(1, 6)).toBe('0.000001');
  expect(decimal(0, 6)).toBe('0');
  expect(decimal(1_234_567, 0)).toBe('1,234,567');
  expect(plainDecimal('-1234500000', 6)).toBe('-1234.5');
});

test('decimals of the engine get their thousands', () => {
  expect(grouped('188')).toBe('188');
  expect(grouped('-65432.125')).toBe('−65,432.125');
});

test('what is typed becomes atoms, and nothing is rounded', () => {
  expect(atomsOf(' 12.5 ', 6)).toBe(12_500_000n);
  expect(atomsOf('9007199254740993.000001', 6)).toBe(9_007_199_254_740_993_000_001n);
  for (const bad of ['', '.5', '1e3', '-1', '1,000', '1.2.3', '0x10', 'NaN']) {
    expect(() => atomsOf(bad, 6), bad).toThrow(RangeError);
  }
  expect(() => atomsOf('0.0000001', 6)).toThrow(/more than 6 decimals/);
});

test('basis points are per cent', () => {
  expect(percent(-2_000)).toBe('−20 %');
  expect(percent('10625')).toBe('106.25 %');
  expect(bpsOf('106.25 %')).toBe(10_625);
  expect(() => bpsOf('1.255')).toThrow(RangeError);
});

test('ages and addresses are short', () => {
  expect([0, 119, 120, 7_200].map(age)).toEqual(['0 s', '119 s', '2 min', '2 h']);
  expect(shortAddress('EdcjVA51QdVzKewxJJ3wTVv6wePehpKB8SpEQBxfz75r')).toBe('Edcj…z75r');
});
