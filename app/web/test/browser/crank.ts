/** What keepers and others do besides the page, with the client and the page's own way to send. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import {
  AccountRole,
  address,
  createKeyPairFromBytes,
  createNoopSigner,
  createSolanaRpc,
  getTransactionDecoder,
  getTransactionEncoder,
  partiallySignTransaction,
  type Instruction,
} from '@solana/kit';
import {
  getAddMarginInstruction,
  getAutoDeleverageInstruction,
  getCancelAllOrdersInstruction,
  getFlagBankruptcyInstruction,
  loadBackstop,
  OrderSide,
  type Backstop,
} from 'ballast-client';

import {
  present,
  readAccounts,
  readMarket,
  readVenue,
  type MarketState,
} from '../../src/chain/accounts';
import { send, type Signer } from '../../src/chain/transaction';
import type { Person, TestNode } from './node';

const MODULE = fileURLToPath(new URL('../../../wasm/backstop.wasm', import.meta.url));

/** Somebody who signs. */
async function signerOf({ wallet, keypair }: Person): Promise<Signer> {
  const keys = await createKeyPairFromBytes(new Uint8Array(keypair));
  return {
    address: address(wallet),
    async sign(transaction) {
      const signed = await partiallySignTransaction(
        [keys],
        getTransactionDecoder().decode(transaction),
      );
      return new Uint8Array(getTransactionEncoder().encode(signed));
    },
  };
}

/** Sends as somebody, and fails where the chain does not confirm. */
export async function sendAs(
  node: TestNode,
  person: Person,
  instructions: readonly Instruction[],
): Promise<void> {
  const [rpc, signer] = [createSolanaRpc(node.served.rpc), await signerOf(person)];
  const ended = await send(instructions, {
    rpc,
    signer,
    feeCapLamports: 0n,
    tell: () => undefined,
  });
  if (ended.stage !== 'confirmed') {
    throw new Error(
      `not confirmed: ${JSON.stringify(ended, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
  }
}

/** The market as it is now. */
export async function marketNow(node: TestNode): Promise<MarketState> {
  const rpc = createSolanaRpc(node.served.rpc);
  const venue = await readVenue(rpc);
  const [keys] = venue.markets;
  if (keys === undefined) {
    throw new Error('the node was started without a market');
  }
  return readMarket(rpc, venue, keys);
}

/** The engine, in this process. */
export async function engine(): Promise<Backstop> {
  return loadBackstop(await readFile(MODULE));
}

/** The market maker takes all its orders out of the book. */
async function emptyBook(node: TestNode): Promise<void> {
  const { maker } = node.served.seeded;
  const { keys } = await marketNow(node);
  const cancel = (side: OrderSide) =>
    getCancelAllOrdersInstruction({
      authority: createNoopSigner(address(maker.wallet)),
      market: keys.address,
      trader: address(maker.trader),
      book: keys.book,
      side,
    });
  await sendAs(node, maker, [cancel(OrderSide.Bid), cancel(OrderSide.Ask)]);
}

/**
 * The market maker takes all its orders out of the book, and backs the little that it has sold with so
 * much margin that it is cut last: the first of the shorts is the first to be cut when the price falls.
 */
export async function standBack(node: TestNode): Promise<void> {
  await emptyBook(node);
  const { maker } = node.served.seeded;
  const { keys } = await marketNow(node);
  await sendAs(node, maker, [
    getAddMarginInstruction({
      authority: createNoopSigner(address(maker.wallet)),
      market: keys.address,
      trader: address(maker.trader),
      queueLong: keys.queueLong,
      queueShort: keys.queueShort,
      amount: 1_000_000_000n,
    }),
  ]);
}

/** Flags somebody's bankruptcy and plays a round of deleveraging for it, as a keeper does. */
export async function deleverage(node: TestNode, bankrupt: Person): Promise<void> {
  const { maker } = node.served.seeded;
  const { keys } = await marketNow(node);
  const trader = address(bankrupt.trader);
  await sendAs(node, maker, [
    getFlagBankruptcyInstruction({ market: keys.address, trader, price: keys.price }),
  ]);
  await node.pass(2);
  const { accounts } = await readAccounts(createSolanaRpc(node.served.rpc), [trader]);
  const market = (await marketNow(node)).accounts;
  const round = (await engine()).counterparties({
    market,
    bankrupt: present(accounts[0], 'the bankrupt'),
  });
  const { book, queueLong, queueShort, price } = keys;
  const instruction = getAutoDeleverageInstruction({
    keeper: createNoopSigner(address(maker.wallet)),
    market: keys.address,
    bankrupt: trader,
    rewardTrader: address(maker.trader),
    book,
    queueLong,
    queueShort,
    price,
  });
  const listed = round.counterparties.map((one) => ({
    address: address(one),
    role: AccountRole.WRITABLE,
  }));
  await sendAs(node, maker, [{ ...instruction, accounts: [...instruction.accounts, ...listed] }]);
}
