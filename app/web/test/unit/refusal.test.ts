/** What a trader is told of a transaction that does not go through. */
import {
  AccountRole,
  SolanaError,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  type Instruction,
} from '@solana/kit';
import { TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import {
  BALLAST_ERROR__BELOW_INITIAL_MARGIN,
  BALLAST_PROGRAM_ADDRESS,
  EngineError,
} from 'ballast-client';
import { expect, test } from 'vitest';

import { Refused, refusalOf } from '../../src/chain/refusal';

const own: Instruction = {
  programAddress: BALLAST_PROGRAM_ADDRESS,
  accounts: [{ address: BALLAST_PROGRAM_ADDRESS, role: AccountRole.READONLY }],
};
const token: Instruction = { programAddress: TOKEN_PROGRAM_ADDRESS };
const below =
  'Equity at the price worsened by its confidence would be below initial margin; add margin or trade less';

test('the program’s refusal is its sentence', () => {
  const cause = { InstructionError: [0, { Custom: BigInt(BALLAST_ERROR__BELOW_INITIAL_MARGIN) }] };
  expect(refusalOf(new Refused(cause, []), [own])).toBe(below);
  const preflight = new SolanaError(
    SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
    {
      accounts: null,
      logs: [],
      unitsConsumed: 0n,
      cause: new SolanaError(SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM, {
        code: BALLAST_ERROR__BELOW_INITIAL_MARGIN,
        index: 0,
      }),
    } as never,
  );
  expect(refusalOf(preflight, [own])).toBe(below);
});

test('the same number of another program is not taken for the program’s', () => {
  const cause = { InstructionError: [0, { Custom: BALLAST_ERROR__BELOW_INITIAL_MARGIN }] };
  expect(refusalOf(new Refused(cause, []), [token])).toMatch(/refuses with error \d+/);
  expect(refusalOf(new Refused({ InstructionError: [0, { Custom: 1 }] }, []), [token])).toMatch(
    /less of the collateral/,
  );
});

test('what the chain refuses is told with what to do', () => {
  expect(refusalOf(new Refused('BlockhashNotFound', []), [])).toMatch(
    /nothing has happened: try again/,
  );
  expect(
    refusalOf(new Refused({ InsufficientFundsForRent: { account_index: 0 } }, []), []),
  ).toMatch(/send it some/);
  expect(refusalOf(new Refused('SomethingNew', []), [])).toMatch(/SomethingNew/);
});

test('the engine’s sentence stays; a signature refused is no error of the chain', () => {
  expect(refusalOf(new EngineError('NotBankrupt: there is nothing to do'), [])).toBe(
    'NotBankrupt: there is nothing to do',
  );
  expect(refusalOf(new Error('User rejected the request.'), [])).toBe(
    'you have not signed; nothing was sent',
  );
});
