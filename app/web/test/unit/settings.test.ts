import { expect, test } from 'vitest';

import { routeOf } from '../../src/route';
import { feeCap, solanaNode } from '../../src/settings';

test('a node announces where validators and hosts do', () => {
  expect(solanaNode('http://127.0.0.1:8899')).toEqual({
    rpc: 'http://127.0.0.1:8899/',
    ws: 'ws://127.0.0.1:8900/',
  });
  expect(solanaNode(' https://node.example/key ')).toEqual({
    rpc: 'https://node.example/key',
    ws: 'wss://node.example/key',
  });
  expect(solanaNode('https://node.example', 'wss://other.example').ws).toBe('wss://other.example/');
});

test('only encrypted connections leave this machine', () => {
  for (const bad of [
    'http://node.example',
    'ftp://node.example',
    'javascript:alert(1)',
    'node.example',
    '',
    'https://a:b@node.example',
  ]) {
    expect(() => solanaNode(bad), bad).toThrow(RangeError);
  }
  expect(() => solanaNode('https://node.example', 'ws://node.example')).toThrow(/wss:/);
});

test('the cap of fees is whole lamports', () => {
  expect(feeCap(' 007 ')).toBe('7');
  for (const bad of ['', '-1', '1.5', '1e3', '99999999999']) {
    expect(() => feeCap(bad), bad).toThrow(RangeError);
  }
});

test('an address names a page and a market, else the first page', () => {
  expect(routeOf('#/trade/3')).toEqual({ page: 'trade', market: 3 });
  expect(routeOf('#/history')).toEqual({ page: 'history', market: undefined });
  for (const other of ['', '#', '#/constructor', '#/<script>', '#/queue/abc']) {
    expect(routeOf(other)).toEqual({ page: 'queue', market: undefined });
  }
});
