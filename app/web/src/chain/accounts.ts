/** Accounts as a node has them, and what the page needs of them. */
import {
  address,
  getBase64Encoder,
  type Address,
  type ReadonlyUint8Array,
  type Rpc,
  type SolanaRpcApi,
} from '@solana/kit';
import {
  BALLAST_PROGRAM_ADDRESS,
  bookOrders,
  decodeMarketName,
  findBoardAddress,
  findExchangePda,
  findMarketPda,
  findPriceAddress,
  findTraderPda,
  getBookDecoder,
  getExchangeDecoder,
  getMarketDecoder,
  getTraderDecoder,
  type Book,
  type BookOrder,
  type Exchange,
  type Market,
  type MarketAccounts,
  type MaybeRawAccount,
  type RawAccount,
  type Trader,
} from 'ballast-client';

const CLOCK = address('SysvarC1ock11111111111111111111111111111111');
/** Accounts that a node gives at once. */
const AT_ONCE = 100;
/** Trader accounts of one owner that are looked for. */
const SUB_ACCOUNTS = 8;

/** A market and the addresses of its accounts, which do not change. */
export type MarketKeys = {
  readonly index: number;
  readonly name: string;
  readonly address: Address;
  readonly book: Address;
  readonly queueLong: Address;
  readonly queueShort: Address;
  readonly price: Address;
  /** What a tick and a lot are. */
  readonly units: Pick<Market['oracle'], 'tickNano' | 'lotNano' | 'atomsPerLotTick'>;
};

/** The exchange and its markets. */
export type Venue = {
  readonly exchange: Exchange;
  readonly exchangeAddress: Address;
  readonly markets: readonly MarketKeys[];
};

/** A market's accounts at one slot, for the engine and for the page. */
export type MarketState = {
  readonly keys: MarketKeys;
  readonly accounts: MarketAccounts;
  readonly market: Market;
  readonly orders: { asks: BookOrder[]; bids: BookOrder[] };
};

/** A trader account. */
export type TraderState = { readonly account: RawAccount; readonly trader: Trader };

/** Accounts of one slot, in the order asked. */
export async function readAccounts(
  rpc: Rpc<SolanaRpcApi>,
  addresses: readonly Address[],
): Promise<{ slot: bigint; accounts: MaybeRawAccount[] }> {
  const accounts: MaybeRawAccount[] = [];
  let slot = 0n;
  for (let at = 0; at < addresses.length; at += AT_ONCE) {
    const asked = addresses.slice(at, at + AT_ONCE);
    const answer = await rpc
      .getMultipleAccounts(asked, { commitment: 'confirmed', encoding: 'base64' })
      .send();
    slot = answer.context.slot;
    asked.forEach((one, index) => {
      const found = answer.value[index];
      accounts.push(
        found
          ? { address: one, programAddress: found.owner, data: base64(found.data[0]) }
          : { address: one, exists: false },
      );
    });
  }
  return { slot, accounts };
}

function base64(text: string): ReadonlyUint8Array {
  return getBase64Encoder().encode(text);
}

/** An account that must be there. */
export function present(account: MaybeRawAccount | undefined, what: string): RawAccount {
  if (account === undefined || !('data' in account)) {
    throw new Error(`${what} does not exist on this chain; is the node one of the right cluster?`);
  }
  return account;
}

/** An account of the program, decoded. */
function decoded<T extends object>(
  account: RawAccount,
  what: string,
  decoder: { decode(bytes: ReadonlyUint8Array): T },
): T {
  if (account.programAddress !== BALLAST_PROGRAM_ADDRESS) {
    throw new Error(`${what} does not belong to the program ${BALLAST_PROGRAM_ADDRESS}`);
  }
  try {
    return decoder.decode(account.data);
  } catch {
    throw new Error(
      `${what} has ${account.data.length} bytes that are none of this release; load the page again`,
    );
  }
}

/** The exchange and its markets. */
export async function readVenue(rpc: Rpc<SolanaRpcApi>): Promise<Venue> {
  const [exchangeAddress] = await findExchangePda();
  const first = await readAccounts(rpc, [exchangeAddress]);
  const account = present(first.accounts[0], 'The exchange');
  const exchange = decoded(account, 'The exchange', getExchangeDecoder());
  const indices = Array.from({ length: exchange.marketCount }, (_, index) => index);
  const addresses = await Promise.all(
    indices.map(async (index) => (await findMarketPda({ index }))[0]),
  );
  const { accounts } = await readAccounts(rpc, addresses);
  const open = accounts.filter((account): account is RawAccount => 'data' in account);
  return { exchange, exchangeAddress, markets: await Promise.all(open.map(marketKeys)) };
}

async function marketKeys(account: RawAccount): Promise<MarketKeys> {
  const market = decoded(account, 'A market', getMarketDecoder());
  const { index, book, queueLong, queueShort, oracle } = market;
  const name = decodeMarketName(market.name);
  const price = await findPriceAddress(market);
  return {
    index,
    name,
    address: account.address,
    book,
    queueLong,
    queueShort,
    price,
    units: oracle,
  };
}

/** A market's accounts, all of one slot. */
export async function readMarket(
  rpc: Rpc<SolanaRpcApi>,
  { exchange }: Venue,
  keys: MarketKeys,
): Promise<MarketState> {
  const asked = [keys.address, CLOCK, keys.book, keys.queueLong, keys.queueShort, keys.price];
  const { slot, accounts } = await readAccounts(rpc, asked);
  const [market, clock, book, queueLong, queueShort, price] = accounts;
  const missing = { address: keys.address, exists: false } as const;
  const raw: MarketAccounts = {
    slot,
    decimals: exchange.mintDecimals,
    market: present(market, `The market ${keys.name}`),
    clock: present(clock, 'The clock'),
    book: book ?? missing,
    queueLong: queueLong ?? missing,
    queueShort: queueShort ?? missing,
    prices: price === undefined ? [] : [price],
  };
  return {
    keys,
    accounts: raw,
    market: decoded(raw.market, `The market ${keys.name}`, getMarketDecoder()),
    orders: ordersOf(raw.book),
  };
}

function ordersOf(account: MaybeRawAccount): { asks: BookOrder[]; bids: BookOrder[] } {
  if (!('data' in account)) {
    return { asks: [], bids: [] };
  }
  const book: Book = decoded(account, 'The order book', getBookDecoder());
  return bookOrders(book);
}

/** Says of a slot's `cross` that it is a leg, and not orders alone that would open one. */
const CROSS_LEG = 1;

/** Whether a slot of a trader account is a leg. */
export function isLeg(slot: { readonly cross: number }): boolean {
  return (slot.cross & CROSS_LEG) !== 0;
}

/** The board of cross margin at one slot. */
export type Board = { readonly slot: bigint; readonly account: RawAccount };

/** The board of cross margin. */
export async function readBoard(rpc: Rpc<SolanaRpcApi>): Promise<Board> {
  const { slot, accounts } = await readAccounts(rpc, [await findBoardAddress()]);
  return { slot, account: present(accounts[0], 'The board of cross margin') };
}

/** The trader accounts of an owner, by number. */
export async function readTraders(rpc: Rpc<SolanaRpcApi>, owner: Address): Promise<TraderState[]> {
  const subIds = Array.from({ length: SUB_ACCOUNTS }, (_, subId) => subId);
  const addresses = await Promise.all(
    subIds.map(async (subId) => (await findTraderPda({ owner, subId }))[0]),
  );
  const { accounts } = await readAccounts(rpc, addresses);
  return accounts.filter((account): account is RawAccount => 'data' in account).map(traderState);
}

/** A trader account, decoded. */
export function traderState(account: RawAccount): TraderState {
  return { account, trader: decoded(account, 'The trader account', getTraderDecoder()) };
}
