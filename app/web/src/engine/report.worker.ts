/** Decides one report again and is done. */
import { readRehearsal, type Rehearsal } from 'ballast-client';
import wasm from '../../../wasm/report.wasm?url';

/** What is made of a report, or why nothing is. */
export type Read = { readonly rehearsal: Rehearsal } | { readonly refusal: string };

self.addEventListener('message', ({ data }: MessageEvent<Uint8Array>) => {
  readRehearsal(fetch(wasm), data).then(
    (rehearsal) => self.postMessage({ rehearsal } satisfies Read),
    (problem: unknown) => {
      const refusal = problem instanceof Error ? problem.message : String(problem);
      self.postMessage({ refusal } satisfies Read);
    },
  );
});
