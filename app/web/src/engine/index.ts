/** Questions to the engine in its worker. */
import { EngineError, type Engine } from 'ballast-client';
import wasm from '../../../wasm/ballast.wasm?url';

import type { Method, Question, Reply } from './worker';

type Waiting = { resolve(value: unknown): void; reject(problem: Error): void };
type Request<M extends Method> = Parameters<Engine[M]>[0];
type Answer<M extends Method> = ReturnType<Engine[M]>;

const waiting = new Map<number, Waiting>();
let started: Promise<Worker> | undefined;
let questions = 0;

/** The engine's answer. Throws an `EngineError` with its sentence. */
export async function ask<M extends Method>(method: M, request: Request<M>): Promise<Answer<M>> {
  started ??= start();
  const worker = await started;
  const id = (questions += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    worker.postMessage({ id, method, request } satisfies Question);
  });
}

async function start(): Promise<Worker> {
  const answer = await fetch(wasm);
  const module = await WebAssembly.compile(await answer.arrayBuffer());
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ('refusal' in data) {
      asked?.reject(new EngineError(data.refusal, data.call));
    } else {
      asked?.resolve(data.value);
    }
  });
  worker.addEventListener('error', ({ message }) => {
    for (const asked of waiting.values()) {
      asked.reject(new Error(`the engine has stopped (${message}); load the page again`));
    }
    waiting.clear();
  });
  worker.postMessage({ module });
  return worker;
}
