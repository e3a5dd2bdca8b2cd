import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createTransactionMessage,
  getTransactionMessageComputeUnitLimit,
  getTransactionMessageLoadedAccountsDataSizeLimit,
} from '@solana/kit';

import * as ballast from '../src';

const message = createTransactionMessage({ version: 0 });

function limits(simulation: ballast.Simulation): (number | undefined)[] {
  const budgeted = ballast.withBudget(simulation, message);
  return [
    getTransactionMessageComputeUnitLimit(budgeted),
    getTransactionMessageLoadedAccountsDataSizeLimit(budgeted),
  ];
}

test('a budget is what the simulation used and some room', () => {
  assert.deepEqual(
    limits({ loadedAccountsDataSize: 20_000_000, unitsConsumed: 100_000n }),
    [121_000, 20_131_072],
  );
});

test('a budget asks for no more than there is, and for nothing unknown', () => {
  const most = [ballast.MAX_COMPUTE_UNITS, ballast.MAX_LOADED_BYTES];
  assert.deepEqual(
    limits({ loadedAccountsDataSize: ballast.MAX_LOADED_BYTES, unitsConsumed: 1_390_000n }),
    most,
  );
  assert.deepEqual(limits({}), [undefined, undefined]);
});
