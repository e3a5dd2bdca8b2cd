/** Requests as the module reads them: borsh, field by field as in `crates/wasm`. */
import {
  addEncoderSizePrefix,
  getAddressEncoder,
  getArrayEncoder,
  getBytesEncoder,
  getNullableEncoder,
  getStructEncoder,
  getU32Encoder,
  getU64Encoder,
  getU8Encoder,
  type Address,
  type Encoder,
  type ReadonlyUint8Array,
} from '@solana/kit';

/** An account as a node sends it. */
export type RawAccount = {
  readonly address: Address;
  /** The program that owns it. */
  readonly programAddress: Address;
  readonly data: ReadonlyUint8Array;
};

/** An account that may be missing. */
export type MaybeRawAccount = RawAccount | { readonly address: Address; readonly exists: false };

/** A market's accounts, all of one slot; `fetchMarketAccounts` reads them. */
export type MarketAccounts = {
  readonly slot: bigint;
  /** Decimals of the quote currency: `mintDecimals` of the exchange. */
  readonly decimals: number;
  readonly market: RawAccount;
  /** The sysvar with slot and time. */
  readonly clock: RawAccount;
  readonly book: MaybeRawAccount;
  readonly queueLong: MaybeRawAccount;
  readonly queueShort: MaybeRawAccount;
  /** Accounts that may hold the price, in the order in which they are tried. */
  readonly prices: readonly MaybeRawAccount[];
};

const bytes = addEncoderSizePrefix(getBytesEncoder(), getU32Encoder());
const account = getStructEncoder([
  ['programAddress', getAddressEncoder()],
  ['data', bytes],
]);
const price = getStructEncoder([
  ['address', getAddressEncoder()],
  ['account', getNullableEncoder(account)],
]);
const rawMarket = getStructEncoder([
  ['slot', getU64Encoder()],
  ['decimals', getU8Encoder()],
  ['address', getAddressEncoder()],
  ['market', bytes],
  ['clock', bytes],
  ['book', getNullableEncoder(bytes)],
  ['queueLong', getNullableEncoder(bytes)],
  ['queueShort', getNullableEncoder(bytes)],
  ['prices', getArrayEncoder(price)],
]);
const trader = getStructEncoder([
  ['address', getAddressEncoder()],
  ['data', bytes],
]);

type Raw = Parameters<typeof rawMarket.encode>[0];

function there(account: MaybeRawAccount): RawAccount | null {
  return 'data' in account ? account : null;
}

function raw(accounts: MarketAccounts): Raw {
  return {
    slot: accounts.slot,
    decimals: accounts.decimals,
    address: accounts.market.address,
    market: accounts.market.data,
    clock: accounts.clock.data,
    book: there(accounts.book)?.data ?? null,
    queueLong: there(accounts.queueLong)?.data ?? null,
    queueShort: there(accounts.queueShort)?.data ?? null,
    prices: accounts.prices.map((one) => ({ address: one.address, account: there(one) })),
  };
}

/** A trader account and every market it is in. */
export type PositionsRequest = {
  readonly trader: RawAccount;
  readonly decimals: number;
  readonly markets: readonly MarketAccounts[];
};

/** A market and a trader account with a position in it. */
export type StandingRequest = { readonly market: MarketAccounts; readonly trader: RawAccount };

/** A market and a bankrupt trader of it. */
export type CounterpartiesRequest = {
  readonly market: MarketAccounts;
  readonly bankrupt: RawAccount;
  /** Most counterparties to cut; 8 unless told otherwise. */
  readonly most?: number;
  /** Counterparties to list beyond those needed; 2 unless told otherwise. */
  readonly spares?: number;
};

const positions = getStructEncoder([
  ['trader', trader],
  ['decimals', getU8Encoder()],
  ['markets', getArrayEncoder(rawMarket)],
]);
const standing = getStructEncoder([
  ['market', rawMarket],
  ['trader', trader],
]);
const counterparties = getStructEncoder([
  ['market', rawMarket],
  ['bankrupt', trader],
  ['most', getU8Encoder()],
  ['spares', getU8Encoder()],
]);

/** The bytes of every request, by the name of its call. */
export const REQUESTS = {
  positions: (request: PositionsRequest) =>
    positions.encode({ ...request, markets: request.markets.map(raw) }),
  standing: (request: StandingRequest) =>
    standing.encode({ ...request, market: raw(request.market) }),
  counterparties: (request: CounterpartiesRequest) =>
    counterparties.encode({ most: 8, spares: 2, ...request, market: raw(request.market) }),
} as const satisfies Record<string, (request: never) => ReadonlyUint8Array>;
