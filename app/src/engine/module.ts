/**
 * A WebAssembly module: engine, state and client of Ballast without imports. It runs wherever
 * WebAssembly does; in a page let a worker run it, for a large queue takes a while.
 */
import type { ReadonlyUint8Array } from '@solana/kit';

/** The module's bytes, or compiled, or as `fetch` answers them. */
export type EngineSource = WebAssembly.Module | BufferSource | Response;

type Exports = {
  readonly memory: WebAssembly.Memory;
  alloc(length: number): number;
  free(at: number, length: number): void;
  call(name: number, nameLength: number, request: number, requestLength: number): number;
};

/** A sentence of the module: what was expected, and what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  /** `call` is the name of the module's call that has no answer, where it was one. */
  constructor(
    sentence: string,
    readonly call?: string,
  ) {
    super(sentence);
  }
}

/** Compiles the module. */
export async function compileEngine(source: EngineSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) {
    return source;
  }
  const bytes = source instanceof ArrayBuffer || ArrayBuffer.isView(source);
  return WebAssembly.compile(bytes ? source : await source.arrayBuffer());
}

/** A running module. Its memory grows to what the largest request needs, and no further. */
export class EngineModule {
  #exports: Exports;

  constructor(private readonly module: WebAssembly.Module) {
    this.#exports = start(module);
  }

  /** Bytes of memory that the module has. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** The answer to a call, parsed. Throws an `EngineError` with the module's sentence. */
  call(name: string, request: ReadonlyUint8Array): unknown {
    let text: string;
    try {
      text = this.#answer(new TextEncoder().encode(name), request);
    } catch (problem) {
      // What a call that broke off has left in memory is not to be used.
      this.#exports = start(this.module);
      throw problem;
    }
    const answer = JSON.parse(text) as { value: unknown } | { error: string; call: string };
    if ('error' in answer) {
      throw new EngineError(answer.error, answer.call);
    }
    return answer.value;
  }

  #answer(name: ReadonlyUint8Array, request: ReadonlyUint8Array): string {
    const { memory, free, call } = this.#exports;
    const [nameAt, requestAt] = [this.#write(name), this.#write(request)];
    const at = call(nameAt, name.length, requestAt, request.length);
    free(nameAt, name.length);
    free(requestAt, request.length);
    const length = new DataView(memory.buffer).getUint32(at, true);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, at + 4, length));
    free(at, length + 4);
    return text;
  }

  #write(bytes: ReadonlyUint8Array): number {
    const { memory, alloc } = this.#exports;
    const at = alloc(bytes.length);
    if (at === 0) {
      throw new EngineError(`there is no memory for a request of ${bytes.length} bytes`);
    }
    new Uint8Array(memory.buffer).set(bytes, at);
    return at;
  }
}

function start(module: WebAssembly.Module): Exports {
  return new WebAssembly.Instance(module).exports as unknown as Exports;
}
