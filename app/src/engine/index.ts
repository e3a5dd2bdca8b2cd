/**
 * Questions to the engine: the same answers that the command line, the keeper and the program give. What a trader asks
 * while trading is one module, what absorbs losses another.
 */
export { EngineError, type EngineSource } from './module';
export type * from './answers';
export type * from './requests';
export { readRehearsal, type Rehearsal, type Stage } from './rehearsal';

import type {
  AlertsFound,
  CrossAccount,
  Explanation,
  GapCurve,
  Holdings,
  JoinPreview,
  LegOrderPreview,
  LiquidationPreview,
  Makers,
  MarketLine,
  MarketQueues,
  OrderPreview,
  PoolHolding,
  Round,
  StakeHolding,
  Standing,
  TransferPreview,
} from './answers';
import { compileEngine, EngineModule, type EngineSource } from './module';
import {
  REQUESTS,
  type AccountRequest,
  type AlertsRequest,
  type CounterpartiesRequest,
  type ExplainRequest,
  type GapRequest,
  type JoinPoolRequest,
  type JoinStakesRequest,
  type LegOrderRequest,
  type LiquidationRequest,
  type MakersRequest,
  type MarketRequest,
  type OrderRequest,
  type PoolRequest,
  type PositionsRequest,
  type QueueRequest,
  type StakeRequest,
  type StandingRequest,
  type TransferRequest,
} from './requests';

/** What is asked of a module. */
abstract class Asked {
  constructor(protected readonly module: EngineModule) {}

  /** Bytes of memory that the module has. */
  get memoryBytes(): number {
    return this.module.memoryBytes;
  }
}

/** What a trader asks while trading. Every method throws an `EngineError` where there is no answer. */
export class Engine extends Asked {
  /** What a trader account holds, as `ballast positions` prints it. */
  positions(request: PositionsRequest): Holdings {
    return this.module.call('positions', REQUESTS.positions(request)) as Holdings;
  }

  /** Where a trader stands in the queue of its side, as `ballast queue --trader` prints it. */
  standing(request: StandingRequest): Standing {
    return this.module.call('standing', REQUESTS.standing(request)) as Standing;
  }

  /** Who is deleveraged first, and how many stand at each light, as `ballast queue` prints it. */
  queue(request: QueueRequest): MarketQueues {
    return this.module.call('queue', REQUESTS.queue(request)) as MarketQueues;
  }

  /** The trader accounts whose orders an order meets: its remaining accounts, in order. */
  makers(request: MakersRequest): Makers {
    return this.module.call('makers', REQUESTS.makers(request)) as Makers;
  }

  /**
   * What an order would do: the figures of its event, if nothing changes before it lands. `Backstop.previewLegOrder` is for
   * one that meets orders of legs.
   */
  previewOrder(request: OrderRequest): OrderPreview {
    return this.module.call('order', REQUESTS.order(request)) as OrderPreview;
  }

  /** A market in a line, as `ballast markets` prints it. */
  market(request: MarketRequest): MarketLine {
    return this.module.call('market', REQUESTS.market(request)) as MarketLine;
  }

  /** Which thresholds positions have crossed since the last look, by the rule of `ballast watch`. */
  alerts(request: AlertsRequest): AlertsFound {
    return this.module.call('alerts', REQUESTS.alerts(request)) as AlertsFound;
  }
}

/**
 * What moves collateral, what absorbs losses and why it did, and accounts whose legs share collateral. Every method
 * throws an `EngineError` where there is no answer.
 */
export class Backstop extends Asked {
  /** What a deposit or a withdrawal would leave. */
  previewTransfer(request: TransferRequest): TransferPreview {
    return this.module.call('transfer', REQUESTS.transfer(request)) as TransferPreview;
  }

  /** What positions would lack if the price jumped, as `ballast gap` prints it. */
  gap(request: GapRequest): GapCurve {
    return this.module.call('gap', REQUESTS.gap(request)) as GapCurve;
  }

  /** What a step of a liquidation would do, and the makers that it lists. */
  previewLiquidation(request: LiquidationRequest): LiquidationPreview {
    return this.module.call('liquidation', REQUESTS.liquidation(request)) as LiquidationPreview;
  }

  /**
   * The round that `auto_deleverage` would play now: its `counterparties` are the remaining
   * accounts, in order. Throws what the program would answer, `BookCanAbsorb` for one.
   */
  counterparties(request: CounterpartiesRequest): Round {
    return this.module.call('counterparties', REQUESTS.counterparties(request)) as Round;
  }

  /** A round of deleveraging decided again from its event, as `ballast explain-adl` does. */
  explain(request: ExplainRequest): Explanation {
    return this.module.call('explain', REQUESTS.explain(request)) as Explanation;
  }

  /** What a pool is worth and what somebody owns of it, as `ballast pool show` prints it. */
  pool(request: PoolRequest): PoolHolding {
    return this.module.call('pool', REQUESTS.pool(request)) as PoolHolding;
  }

  /** What somebody has staked behind insurance, as `ballast stake show` prints it. */
  stake(request: StakeRequest): StakeHolding {
    return this.module.call('stake', REQUESTS.stake(request)) as StakeHolding;
  }

  /** The shares that a deposit into a pool would buy: those of its event, if nothing changes before it lands. */
  previewJoinPool(request: JoinPoolRequest): JoinPreview {
    return this.module.call('join_pool', REQUESTS.join_pool(request)) as JoinPreview;
  }

  /** The shares that a deposit behind insurance would buy. */
  previewJoinStakes(request: JoinStakesRequest): JoinPreview {
    return this.module.call('join_stakes', REQUESTS.join_stakes(request)) as JoinPreview;
  }

  /** What an account whose legs share collateral is worth and needs, as `ballast account` prints it. */
  account(request: AccountRequest): CrossAccount {
    return this.module.call('account', REQUESTS.account(request)) as CrossAccount;
  }

  /**
   * What an order would do that meets orders of legs: its remaining accounts are `listed`, the board, which is read,
   * before the cross queues and the makers.
   */
  previewLegOrder(request: LegOrderRequest): LegOrderPreview {
    return this.module.call('leg_order', REQUESTS.leg_order(request)) as LegOrderPreview;
  }
}

/** Starts the engine from `wasm/ballast.wasm` of this package. */
export async function loadEngine(source: EngineSource | Promise<EngineSource>): Promise<Engine> {
  return new Engine(new EngineModule(await compileEngine(await source)));
}

/** Starts `wasm/backstop.wasm` of this package. */
export async function loadBackstop(
  source: EngineSource | Promise<EngineSource>,
): Promise<Backstop> {
  return new Backstop(new EngineModule(await compileEngine(await source)));
}
