/** Questions to the engine, each module in a worker of its own that starts with the first question to it. */
import { EngineError, type Backstop, type Engine } from 'ballast-client';
import backstop from '../../../wasm/backstop.wasm?url';
import ballast from '../../../wasm/ballast.wasm?url';

import type { Asked, Question, Reply } from './worker';

/** What can be asked: what a trader asks while trading, and what is asked about losses. */
type Askable = Omit<Engine, 'memoryBytes'> & Omit<Backstop, 'memoryBytes'>;
export type Method = keyof Askable;
export type Request<M extends Method> = Parameters<Askable[M]>[0];
export type Answer<M extends Method> = ReturnType<Askable[M]>;

/** The methods of the second module, which is loaded where one is asked. */
const BACKSTOP: { readonly [method in keyof Omit<Backstop, 'memoryBytes'>]: true } = {
  gap: true,
  previewLiquidation: true,
  counterparties: true,
  explain: true,
  pool: true,
  stake: true,
  previewJoinPool: true,
  previewJoinStakes: true,
  account: true,
  previewTransfer: true,
  previewLegOrder: true,
};

type Waiting = { resolve(value: unknown): void; reject(problem: Error): void };

/** A module's worker. */
class Desk {
  readonly #waiting = new Map<number, Waiting>();
  #questions = 0;
  #started: Promise<Worker> | undefined;

  constructor(
    private readonly asked: Asked,
    private readonly url: string,
  ) {}

  async ask(method: Method, request: unknown): Promise<unknown> {
    this.#started ??= this.#start();
    const worker = await this.#started;
    const id = (this.#questions += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, request } satisfies Question);
    });
  }

  async #start(): Promise<Worker> {
    const answer = await fetch(this.url);
    const module = await WebAssembly.compile(await answer.arrayBuffer());
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#hear(data));
    worker.addEventListener('error', ({ message }) => {
      for (const asked of this.#waiting.values()) {
        asked.reject(new Error(`the engine has stopped (${message}); load the page again`));
      }
      this.#waiting.clear();
    });
    worker.postMessage({ asked: this.asked, module });
    return worker;
  }

  #hear(reply: Reply): void {
    const asked = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('refusal' in reply) {
      asked?.reject(new EngineError(reply.refusal, reply.call));
    } else {
      asked?.resolve(reply.value);
    }
  }
}

const engineDesk = new Desk('engine', ballast);
const backstopDesk = new Desk('backstop', backstop);

/** The engine's answer. Throws an `EngineError` with its sentence. */
export async function ask<M extends Method>(method: M, request: Request<M>): Promise<Answer<M>> {
  const desk = method in BACKSTOP ? backstopDesk : engineDesk;
  return (await desk.ask(method, request)) as Answer<M>;
}
