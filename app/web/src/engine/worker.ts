/** The engine in a worker: a large queue takes a while, and the page stays quick. */
import { EngineError, loadEngine, type Engine } from 'ballast-client';

/** A question to the engine. */
export type Question = { readonly id: number; readonly method: Method; readonly request: unknown };
/** Its answer, or the sentence of a refusal. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly refusal: string; readonly call: string | undefined };

/** What the engine can be asked. */
export type Method = Exclude<keyof Engine, 'memoryBytes'>;

type Message = { readonly module: WebAssembly.Module } | Question;

let engine: Promise<Engine> | undefined;

self.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  if ('module' in data) {
    engine = loadEngine(data.module);
  } else {
    void answer(data);
  }
});

async function answer({ id, method, request }: Question): Promise<void> {
  try {
    const started = await engine;
    if (started === undefined) {
      throw new Error('the engine was not started');
    }
    self.postMessage({ id, value: started[method](request as never) } satisfies Reply);
  } catch (problem) {
    const refusal = problem instanceof Error ? problem.message : String(problem);
    const call = problem instanceof EngineError ? problem.call : undefined;
    self.postMessage({ id, refusal, call } satisfies Reply);
  }
}
