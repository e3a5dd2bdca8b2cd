/** Requests as the module reads them: borsh, field by field as in `crates/wasm`. */
import {
  addEncoderSizePrefix,
  getAddressEncoder,
  getArrayEncoder,
  getBytesEncoder,
  getI32Encoder,
  getI64Encoder,
  getNullableEncoder,
  getStructEncoder,
  getU16Encoder,
  getU32Encoder,
  getU64Encoder,
  getU8Encoder,
  getUtf8Encoder,
  type Address,
  type ReadonlyUint8Array,
} from '@solana/kit';

import { getPlaceOrderArgsEncoder, type PlaceOrderArgsArgs } from '../generated';

/** An account as a node sends it. */
export type RawAccount = {
  readonly address: Address;
  /** The program that owns it. */
  readonly programAddress: Address;
  readonly data: ReadonlyUint8Array;
};

/** An account that may be missing. */
export type MaybeRawAccount = RawAccount | { readonly address: Address; readonly exists: false };

/** A market's accounts, all of one slot. */
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

const crossAccount = getStructEncoder([
  ['trader', trader],
  ['decimals', getU8Encoder()],
  ['slot', getU64Encoder()],
  ['board', bytes],
  ['markets', getArrayEncoder(trader)],
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

/** A market, and how many places of each side to tell. */
export type QueueRequest = { readonly market: MarketAccounts; readonly top: number };

/** A market and moves of its price, whole per cent from 1 to 90, each tried up and down. */
export type GapRequest = { readonly market: MarketAccounts; readonly percent: readonly number[] };

/** An order of a trader. */
export type MakersRequest = {
  readonly market: MarketAccounts;
  readonly trader: RawAccount;
  readonly order: PlaceOrderArgsArgs;
  /** Orders whose makers are listed beyond those that it needs; 4 unless told otherwise. */
  readonly spares?: number;
};

/** An order of a trader and the trader accounts that it lists, which `makers` names. */
export type OrderRequest = {
  readonly market: MarketAccounts;
  readonly trader: RawAccount;
  readonly makers: readonly RawAccount[];
  readonly order: PlaceOrderArgsArgs;
};

/** An order that meets orders of legs. */
export type LegOrderRequest = OrderRequest & {
  /** The board of cross margin. */
  readonly board: RawAccount;
};

/** A position in trouble and who takes it over. */
export type LiquidationRequest = {
  readonly market: MarketAccounts;
  readonly victim: RawAccount;
  /** Most lots that the liquidator takes over; 0 leaves it to the book. */
  readonly takeOver: bigint;
  /** Orders whose makers are listed beyond those needed; 4 unless told otherwise. */
  readonly spares?: number;
};

/** An amount into a trader account, or out of it. */
export type TransferRequest = {
  readonly trader: RawAccount;
  readonly decimals: number;
  /** Into free collateral; negative out of it. */
  readonly atoms: bigint;
};

/** An `AutoDeleveraged` event and where it was found. */
export type ExplainRequest = {
  /** The event's market, of any slot. */
  readonly market: RawAccount;
  /** Data of the inner instruction by which the program announced it. */
  readonly event: ReadonlyUint8Array;
  /** The same of the `CrossRound` that was announced after it, if one was. */
  readonly cross?: ReadonlyUint8Array | undefined;
  readonly slot: bigint;
  readonly signature: string;
};

/** A market's pool and somebody's shares of it. */
export type PoolRequest = {
  readonly market: MarketAccounts;
  readonly pool: RawAccount;
  /** The pool's trader account. */
  readonly trader: RawAccount;
  readonly share: MaybeRawAccount;
};

/** A market's stakes and somebody's shares of them. */
export type StakeRequest = {
  readonly slot: bigint;
  readonly decimals: number;
  readonly market: RawAccount;
  readonly stakes: RawAccount;
  readonly share: RawAccount;
};

/** A deposit into a market's pool. */
export type JoinPoolRequest = PoolRequest & { readonly atoms: bigint };

/** A deposit behind a market's insurance. */
export type JoinStakesRequest = {
  readonly market: MarketAccounts;
  readonly stakes: RawAccount;
  readonly share: MaybeRawAccount;
  readonly atoms: bigint;
};

/** A trader account, the board and the markets of its legs. */
export type AccountRequest = {
  readonly trader: RawAccount;
  readonly decimals: number;
  /** The slot in which the board was read. */
  readonly slot: bigint;
  readonly board: RawAccount;
  readonly markets: readonly RawAccount[];
};

/** An alert that has begun and not ended; what a look leaves for the next. */
export type AlertState = {
  readonly market_index: number;
  readonly market: string;
  readonly kind: string;
  readonly looks: number;
};

/** A look at a trader account for alerts. */
export type AlertsRequest = PositionsRequest & {
  /** From this light on, 1 to 5. */
  readonly lightAt: number;
  readonly ratioBelowBps: bigint;
  /** Funding paid, millionths of the worth an hour; null for no alert. */
  readonly fundingAbovePpm: number | null;
  /** What the look before left. */
  readonly raised: readonly AlertState[];
};

/** A market. */
export type MarketRequest = { readonly market: MarketAccounts };

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
const queue = getStructEncoder([
  ['market', rawMarket],
  ['top', getU32Encoder()],
]);
const gap = getStructEncoder([
  ['market', rawMarket],
  ['percent', getArrayEncoder(getU8Encoder())],
]);
const makers = getStructEncoder([
  ['market', rawMarket],
  ['trader', trader],
  ['order', getPlaceOrderArgsEncoder()],
  ['spares', getU8Encoder()],
]);
const order = getStructEncoder([
  ['market', rawMarket],
  ['trader', trader],
  ['makers', getArrayEncoder(trader)],
  ['order', getPlaceOrderArgsEncoder()],
]);
const legOrder = getStructEncoder([
  ['order', order],
  ['board', bytes],
]);
const liquidation = getStructEncoder([
  ['market', rawMarket],
  ['victim', trader],
  ['takeOver', getU64Encoder()],
  ['spares', getU8Encoder()],
]);
const transfer = getStructEncoder([
  ['trader', trader],
  ['decimals', getU8Encoder()],
  ['atoms', getI64Encoder()],
]);
const explain = getStructEncoder([
  ['market', bytes],
  ['event', bytes],
  ['cross', getNullableEncoder(bytes)],
  ['slot', getU64Encoder()],
  ['signature', addEncoderSizePrefix(getUtf8Encoder(), getU32Encoder())],
]);
const pool = getStructEncoder([
  ['market', rawMarket],
  ['pool', bytes],
  ['trader', trader],
  ['share', getNullableEncoder(bytes)],
]);
const stake = getStructEncoder([
  ['slot', getU64Encoder()],
  ['decimals', getU8Encoder()],
  ['market', bytes],
  ['stakes', bytes],
  ['share', bytes],
]);
const joinPool = getStructEncoder([
  ['of', pool],
  ['atoms', getU64Encoder()],
]);
const joinStakes = getStructEncoder([
  ['market', rawMarket],
  ['stakes', bytes],
  ['share', getNullableEncoder(bytes)],
  ['atoms', getU64Encoder()],
]);

const market = getStructEncoder([['market', rawMarket]]);
const text = addEncoderSizePrefix(getUtf8Encoder(), getU32Encoder());
const alerts = getStructEncoder([
  ['of', positions],
  ['lightAt', getU8Encoder()],
  ['ratioBelowBps', getI64Encoder()],
  ['fundingAbovePpm', getNullableEncoder(getI32Encoder())],
  [
    'raised',
    getArrayEncoder(
      getStructEncoder([
        ['market_index', getU16Encoder()],
        ['market', text],
        ['kind', text],
        ['looks', getU32Encoder()],
      ]),
    ),
  ],
]);

function rawPool(request: PoolRequest): Parameters<typeof pool.encode>[0] {
  return {
    market: raw(request.market),
    pool: request.pool.data,
    trader: request.trader,
    share: there(request.share)?.data ?? null,
  };
}

/** The bytes of every request, by the name of its call. */
export const REQUESTS = {
  positions: (request: PositionsRequest) =>
    positions.encode({ ...request, markets: request.markets.map(raw) }),
  standing: (request: StandingRequest) =>
    standing.encode({ ...request, market: raw(request.market) }),
  counterparties: (request: CounterpartiesRequest) =>
    counterparties.encode({ most: 8, spares: 2, ...request, market: raw(request.market) }),
  queue: (request: QueueRequest) => queue.encode({ ...request, market: raw(request.market) }),
  gap: (request: GapRequest) =>
    gap.encode({ percent: [...request.percent], market: raw(request.market) }),
  makers: (request: MakersRequest) =>
    makers.encode({ spares: 4, ...request, market: raw(request.market) }),
  order: (request: OrderRequest) =>
    order.encode({ ...request, makers: [...request.makers], market: raw(request.market) }),
  leg_order: ({ board, ...request }: LegOrderRequest) =>
    legOrder.encode({
      order: { ...request, makers: [...request.makers], market: raw(request.market) },
      board: board.data,
    }),
  liquidation: (request: LiquidationRequest) =>
    liquidation.encode({ spares: 4, ...request, market: raw(request.market) }),
  transfer: (request: TransferRequest) => transfer.encode(request),
  explain: (request: ExplainRequest) =>
    explain.encode({
      ...request,
      market: request.market.data,
      cross: request.cross ?? null,
    }),
  pool: (request: PoolRequest) => pool.encode(rawPool(request)),
  stake: (request: StakeRequest) =>
    stake.encode({
      ...request,
      market: request.market.data,
      stakes: request.stakes.data,
      share: request.share.data,
    }),
  join_pool: (request: JoinPoolRequest) =>
    joinPool.encode({ of: rawPool(request), atoms: request.atoms }),
  join_stakes: (request: JoinStakesRequest) =>
    joinStakes.encode({
      market: raw(request.market),
      stakes: request.stakes.data,
      share: there(request.share)?.data ?? null,
      atoms: request.atoms,
    }),
  account: (request: AccountRequest) =>
    crossAccount.encode({
      ...request,
      board: request.board.data,
      markets: [...request.markets],
    }),
  market: (request: MarketRequest) => market.encode({ market: raw(request.market) }),
  alerts: ({ trader, decimals, markets, ...request }: AlertsRequest) =>
    alerts.encode({
      of: { trader, decimals, markets: markets.map(raw) },
      ...request,
      raised: [...request.raised],
    }),
} as const satisfies Record<string, (request: never) => ReadonlyUint8Array>;
