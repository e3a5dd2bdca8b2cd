/** A transaction from instructions to its end: built here, signed by the wallet, sent, and then confirmed, expired or refused. */
import {
  appendTransactionMessageInstructions,
  compileTransaction,
  createTransactionMessage,
  getBase64Decoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  getTransactionEncoder,
  setTransactionMessageComputeUnitPrice,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Address,
  type Base64EncodedWireTransaction,
  type Blockhash,
  type Instruction,
  type ReadonlyUint8Array,
  type Rpc,
  type Signature,
  type SolanaRpcApi,
} from '@solana/kit';
import { MAX_COMPUTE_UNITS, withBudget } from 'ballast-client';

import { Refused, refusalOf } from './refusal';

/** How far a transaction has come. */
export type Progress =
  | { readonly stage: 'building' | 'signing' }
  | { readonly stage: 'sent'; readonly signature: Signature }
  | { readonly stage: 'confirmed'; readonly signature: Signature; readonly slot: bigint }
  | { readonly stage: 'expired'; readonly signature: Signature }
  | { readonly stage: 'refused'; readonly sentence: string; readonly signature?: Signature };

/** Who signs, and by what. */
export type Signer = {
  readonly address: Address;
  /** The transaction with the signature. */
  sign(transaction: Uint8Array): Promise<Uint8Array>;
};

type Sending = {
  readonly rpc: Rpc<SolanaRpcApi>;
  readonly signer: Signer;
  /** The most offered for priority, lamports. */
  readonly feeCapLamports: bigint;
  /** Told every stage. */
  readonly tell: (progress: Progress) => void;
};

/** How often the chain is asked what has become of a transaction, milliseconds. */
const ASK_EVERY_MS = 500;
/** Millionths of a lamport. */
const MICRO = 1_000_000n;

type Lifetime = { readonly blockhash: Blockhash; readonly lastValidBlockHeight: bigint };

/** Sends instructions as one transaction; the last progress told is how it ended. */
export async function send(
  instructions: readonly Instruction[],
  sending: Sending,
): Promise<Progress> {
  const told = (progress: Progress): Progress => {
    sending.tell(progress);
    return progress;
  };
  try {
    told({ stage: 'building' });
    const { wire, lifetime } = await build(instructions, sending);
    told({ stage: 'signing' });
    const signed = await sending.signer.sign(wire);
    const signature = getSignatureFromTransaction(getTransactionDecoder().decode(signed));
    return told(await follow(signed, signature, lifetime, sending, told));
  } catch (problem) {
    return told({ stage: 'refused', sentence: refusalOf(problem, instructions) });
  }
}

function message(instructions: readonly Instruction[], payer: Address, lifetime: Lifetime) {
  const empty = setTransactionMessageFeePayer(payer, createTransactionMessage({ version: 0 }));
  const alive = setTransactionMessageLifetimeUsingBlockhash(lifetime, empty);
  return appendTransactionMessageInstructions(instructions, alive);
}

/** The transaction with the limits that its simulation calls for. Throws what the program would refuse. */
async function build(
  instructions: readonly Instruction[],
  { rpc, signer, feeCapLamports }: Sending,
): Promise<{ wire: Uint8Array; lifetime: Lifetime }> {
  const { value: lifetime } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const plain = message(instructions, signer.address, lifetime);
  const { value: simulated } = await rpc
    .simulateTransaction(base64(encode(plain)), {
      commitment: 'confirmed',
      encoding: 'base64',
      replaceRecentBlockhash: true,
      sigVerify: false,
    })
    .send();
  if (simulated.err !== null) {
    throw new Refused(simulated.err, simulated.logs ?? []);
  }
  const limited = withBudget(simulated, plain);
  const units = simulated.unitsConsumed ?? BigInt(MAX_COMPUTE_UNITS);
  const price = await priority(rpc, instructions, units, feeCapLamports);
  const priced = price === 0n ? limited : setTransactionMessageComputeUnitPrice(price, limited);
  return { wire: encode(priced), lifetime };
}

/** What a transaction asks of the block, as bytes for the wallet. */
function encode(built: Parameters<typeof compileTransaction>[0]): Uint8Array {
  return new Uint8Array(getTransactionEncoder().encode(compileTransaction(built)));
}

function base64(bytes: ReadonlyUint8Array): Base64EncodedWireTransaction {
  return getBase64Decoder().decode(bytes) as Base64EncodedWireTransaction;
}

/** What others paid lately for the same accounts, in the middle, and no more than the cap; micro-lamports a unit. */
async function priority(
  rpc: Rpc<SolanaRpcApi>,
  instructions: readonly Instruction[],
  units: bigint,
  cap: bigint,
): Promise<bigint> {
  if (cap === 0n) {
    return 0n;
  }
  const accounts = instructions.flatMap((one) =>
    (one.accounts ?? []).map((account) => account.address),
  );
  const recent = await rpc
    .getRecentPrioritizationFees([...new Set(accounts)].slice(0, 128))
    .send()
    // A node that keeps no such record does not keep anybody from trading.
    .catch(() => []);
  const fees = recent
    .map((one) => BigInt(one.prioritizationFee))
    .sort((one, other) => (one < other ? -1 : 1));
  const middle = fees[Math.floor(fees.length / 2)] ?? 0n;
  // The limit is a fifth and 1,000 above what was consumed, see `withBudget`.
  const most = (cap * MICRO) / (units + units / 5n + 1_000n);
  return middle < most ? middle : most;
}

/** Sends until the transaction is in a block, or its blockhash has expired. */
async function follow(
  signed: Uint8Array,
  signature: Signature,
  { lastValidBlockHeight }: Lifetime,
  { rpc }: Sending,
  told: (progress: Progress) => Progress,
): Promise<Progress> {
  const wire = base64(signed);
  const again = () =>
    rpc.sendTransaction(wire, { encoding: 'base64', maxRetries: 0n, skipPreflight: true }).send();
  await rpc.sendTransaction(wire, { encoding: 'base64', preflightCommitment: 'confirmed' }).send();
  told({ stage: 'sent', signature });
  for (let asked = 1; ; asked += 1) {
    const { value } = await rpc.getSignatureStatuses([signature]).send();
    const status = value[0] ?? null;
    if (status !== null && status.err !== null) {
      throw new Refused(status.err, []);
    }
    if (status !== null && status.confirmationStatus !== 'processed') {
      return { stage: 'confirmed', signature, slot: status.slot };
    }
    const height = await rpc.getBlockHeight({ commitment: 'confirmed' }).send();
    if (status === null && height > lastValidBlockHeight) {
      return { stage: 'expired', signature };
    }
    if (asked % 4 === 0) {
      await again();
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}
