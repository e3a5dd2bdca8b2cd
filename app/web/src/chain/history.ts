/** What happened: transactions of trader accounts and the events in them. */
import {
  signature as checkedSignature,
  type Address,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
} from '@solana/kit';
import { ballastAnnouncements, type Announcement } from 'ballast-client';

/** How many transactions are looked at, the newest. */
export const NEWEST = 50;
/** How many are asked for at a time. */
const AT_A_TIME = 5;

/** A transaction that went through. */
export type Happened = {
  readonly signature: Signature;
  readonly slot: bigint;
  /** Unix seconds; null where the node does not know. */
  readonly time: bigint | null;
  readonly announcements: readonly Announcement[];
};

/** A transaction as the node has it, asked for anew. */
export async function readTransaction(
  rpc: Rpc<SolanaRpcApi>,
  signature: string,
): Promise<Happened> {
  const checked = checkedSignature(signature);
  const config = {
    commitment: 'confirmed',
    encoding: 'json',
    maxSupportedTransactionVersion: 0,
  } as const;
  const found = await rpc.getTransaction(checked, config).send();
  if (found === null) {
    throw new Error(
      `the node does not have transaction ${signature}; it may keep only the newest: choose another in Settings`,
    );
  }
  return {
    signature: checked,
    slot: found.slot,
    time: found.blockTime,
    announcements: ballastAnnouncements(found),
  };
}

/** The newest transactions of some accounts, the newest first. */
export async function readHistory(
  rpc: Rpc<SolanaRpcApi>,
  accounts: readonly Address[],
): Promise<Happened[]> {
  const listed = await Promise.all(
    accounts.map((account) =>
      rpc.getSignaturesForAddress(account, { commitment: 'confirmed', limit: NEWEST }).send(),
    ),
  );
  const good = listed.flat().filter((one) => one.err === null);
  const slots = new Map(good.map((one) => [one.signature, one.slot]));
  const newest = [...slots.entries()]
    .sort(([, one], [, other]) => (one > other ? -1 : 1))
    .slice(0, NEWEST);
  const happened: Happened[] = [];
  for (let at = 0; at < newest.length; at += AT_A_TIME) {
    const asked = newest
      .slice(at, at + AT_A_TIME)
      .map(([signature]) => readTransaction(rpc, signature));
    happened.push(...(await Promise.all(asked)));
  }
  return happened;
}
