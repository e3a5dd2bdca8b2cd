/** A module of the engine in a worker: a large queue takes a while, and the page stays quick. */
import { EngineError, loadBackstop, loadEngine } from 'ballast-client';

/** Which module the worker has. */
export type Asked = 'engine' | 'backstop';
/** A question to it. */
export type Question = { readonly id: number; readonly method: string; readonly request: unknown };
/** Its answer, or the sentence of a refusal. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly refusal: string; readonly call: string | undefined };

type Message = { readonly asked: Asked; readonly module: WebAssembly.Module } | Question;
type Methods = { readonly [method: string]: ((request: unknown) => unknown) | undefined };

let started: Promise<unknown> | undefined;

self.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  if ('module' in data) {
    started = data.asked === 'engine' ? loadEngine(data.module) : loadBackstop(data.module);
  } else {
    void answer(data);
  }
});

async function answer({ id, method, request }: Question): Promise<void> {
  try {
    const engine = (await started) as Methods | undefined;
    if (engine?.[method] === undefined) {
      throw new Error(`the engine was not started, or is never asked ${method}`);
    }
    self.postMessage({ id, value: engine[method](request) } satisfies Reply);
  } catch (problem) {
    const refusal = problem instanceof Error ? problem.message : String(problem);
    const call = problem instanceof EngineError ? problem.call : undefined;
    self.postMessage({ id, refusal, call } satisfies Reply);
  }
}
