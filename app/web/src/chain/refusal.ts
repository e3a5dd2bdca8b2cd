/** Why a transaction does not go through, in words, and what to do. */
import {
  isSolanaError,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  type Instruction,
} from '@solana/kit';
import {
  BALLAST_PROGRAM_ADDRESS,
  EngineError,
  getBallastErrorMessage,
  type BallastError,
} from 'ballast-client';

/** A transaction that failed, with what the node says of it. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly cause: unknown,
    readonly logs: readonly string[],
  ) {
    super('the transaction fails');
  }
}

/** What the chain says without the program, and what to do. */
const OF_THE_CHAIN: { readonly [name: string]: string } = {
  AccountNotFound: 'the wallet has no SOL to pay the fee; send it some and try again',
  InsufficientFundsForFee:
    'the wallet has too little SOL to pay the fee; send it some and try again',
  InsufficientFundsForRent:
    'the wallet has too little SOL for the account’s deposit; send it some and try again',
  BlockhashNotFound: 'the transaction is too old for the chain; nothing has happened: try again',
  AlreadyProcessed:
    'the same transaction is in a block already; look at History before you try again',
  AccountInUse: 'the chain is busy with the same accounts; nothing has happened: try again',
};

/** What the token program says of a transfer that the account does not cover. */
const INSUFFICIENT_TOKENS = 1;
/** The first number of the program's own errors. */
const OWN_ERRORS = 6_000;

/** The sentence for whatever was thrown on the way of a transaction. */
export function refusalOf(problem: unknown, instructions: readonly Instruction[]): string {
  if (problem instanceof Refused) {
    return ofChain(problem.cause, problem.logs, instructions);
  }
  if (
    isSolanaError(problem, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE)
  ) {
    const { cause } = problem;
    if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
      const { code, index } = cause.context;
      return ofInstruction(instructions[index], { Custom: code }, []);
    }
    return cause instanceof Error ? cause.message : problem.message;
  }
  if (problem instanceof EngineError) {
    return problem.message;
  }
  const message = problem instanceof Error ? problem.message : String(problem);
  return /reject|denied|cancel/i.test(message) ? 'you have not signed; nothing was sent' : message;
}

function ofChain(
  cause: unknown,
  logs: readonly string[],
  instructions: readonly Instruction[],
): string {
  if (typeof cause === 'string') {
    return OF_THE_CHAIN[cause] ?? `the chain answers ${cause}; nothing has happened`;
  }
  const found = (cause ?? {}) as {
    readonly InstructionError?: readonly [number | bigint, unknown];
  };
  if (found.InstructionError !== undefined) {
    const [index, detail] = found.InstructionError;
    return ofInstruction(instructions[Number(index)], detail, logs);
  }
  const [name = 'an unknown error'] = Object.keys(found);
  return OF_THE_CHAIN[name] ?? `the chain answers ${name}; nothing has happened`;
}

function ofInstruction(
  instruction: Instruction | undefined,
  detail: unknown,
  logs: readonly string[],
): string {
  const custom = (detail as { readonly Custom?: number | bigint } | null)?.Custom;
  if (custom === undefined) {
    const name = typeof detail === 'string' ? detail : JSON.stringify(detail);
    return `the program ends with ${name}; nothing has happened`;
  }
  const number = Number(custom);
  const own =
    number >= OWN_ERRORS
      ? (getBallastErrorMessage(number as BallastError) as string | undefined)
      : undefined;
  if (
    own !== undefined &&
    (instruction === undefined || instruction.programAddress === BALLAST_PROGRAM_ADDRESS)
  ) {
    return own;
  }
  if (number === INSUFFICIENT_TOKENS) {
    return 'the wallet has less of the collateral than that; choose a smaller amount';
  }
  const said = logs
    .findLast((line) => line.includes('Error Message: '))
    ?.split('Error Message: ')[1];
  return `the program refuses with error ${number}${said === undefined ? '' : `: ${said}`}; nothing has happened`;
}
