/**
 * What a transaction asks of the block. One that does not say how many bytes of accounts it loads is
 * taken to load 64 MiB, and the block keeps 16,384 units for them instead of some 6,000 for a market
 * with two queues of 100,000 positions.
 */
import {
  setTransactionMessageComputeUnitLimit,
  setTransactionMessageLoadedAccountsDataSizeLimit,
  type TransactionMessage,
} from '@solana/kit';

/** The most compute units a transaction is granted. */
export const MAX_COMPUTE_UNITS = 1_400_000;
/** The most bytes of accounts a transaction may load. */
export const MAX_LOADED_BYTES = 64 * 1_024 * 1_024;

/** What `simulateTransaction` answers, as far as it is needed here. */
export type Simulation = {
  readonly loadedAccountsDataSize?: number | null;
  readonly unitsConsumed?: bigint | null;
};

/**
 * The message with the limits that its simulation calls for: a fifth and 1,000 units more, and 128 KiB
 * more, because a queue or a lookup table may grow until the transaction lands. A limit of which the
 * simulation says nothing stays as it is. Simulate without either limit.
 */
export function withBudget<TMessage extends TransactionMessage>(
  simulation: Simulation,
  message: TMessage,
): TMessage {
  const { loadedAccountsDataSize: bytes, unitsConsumed: units } = simulation;
  let budgeted = message;
  if (units !== undefined && units !== null) {
    const limit = Math.min(Number(units + units / 5n) + 1_000, MAX_COMPUTE_UNITS);
    budgeted = setTransactionMessageComputeUnitLimit(limit, budgeted);
  }
  if (bytes !== undefined && bytes !== null) {
    const limit = Math.min(bytes + 128 * 1_024, MAX_LOADED_BYTES);
    budgeted = setTransactionMessageLoadedAccountsDataSizeLimit(limit, budgeted);
  }
  return budgeted;
}
