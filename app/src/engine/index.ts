/** Questions to the engine: the same answers that the command line, the keeper and the program give. */
export { EngineError, type EngineSource } from './module';
export type * from './answers';
export type * from './requests';

import type { Holdings, Round, Standing } from './answers';
import { compileEngine, EngineModule, type EngineSource } from './module';
import {
  REQUESTS,
  type CounterpartiesRequest,
  type PositionsRequest,
  type StandingRequest,
} from './requests';

/** The engine. Every method throws an `EngineError` where there is no answer. */
export class Engine {
  constructor(private readonly module: EngineModule) {}

  /** Bytes of memory that the module has. */
  get memoryBytes(): number {
    return this.module.memoryBytes;
  }

  /** What a trader account holds, as `ballast positions` prints it. */
  positions(request: PositionsRequest): Holdings {
    return this.module.call('positions', REQUESTS.positions(request)) as Holdings;
  }

  /** Where a trader stands in the queue of its side, as `ballast queue --trader` prints it. */
  standing(request: StandingRequest): Standing {
    return this.module.call('standing', REQUESTS.standing(request)) as Standing;
  }

  /**
   * The round that `auto_deleverage` would play now: its `counterparties` are the remaining
   * accounts, in order. Throws what the program would answer, `BookCanAbsorb` for one.
   */
  counterparties(request: CounterpartiesRequest): Round {
    return this.module.call('counterparties', REQUESTS.counterparties(request)) as Round;
  }
}

/** Starts the engine from `wasm/ballast.wasm` of this package. */
export async function loadEngine(source: EngineSource | Promise<EngineSource>): Promise<Engine> {
  return new Engine(new EngineModule(await compileEngine(await source)));
}
