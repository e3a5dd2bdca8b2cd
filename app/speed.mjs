/**
 * How long the module takes to rank one position of a large queue and to find the price at which it would
 * be first: `node speed.mjs FILE`, where FILE is what the example `large_queue` of `crates/wasm` writes.
 */
import { readFileSync } from 'node:fs';

import { EngineModule, compileEngine } from './build/src/engine/module.js';

const [file] = process.argv.slice(2);
const wasm = new URL('wasm/ballast.wasm', import.meta.url);
const engine = new EngineModule(await compileEngine(readFileSync(wasm)));
const request = readFileSync(file);
const called = () => {
  const began = process.cpuUsage();
  engine.call('standing', request);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
};
// The compiler of the host works on the first calls.
for (let call = 0; call < 5; call += 1) called();
const times = Array.from({ length: 15 }, called).sort((one, other) => one - other);
const shown = (at) => `${Math.round(times[at])} ms`;
const { rank, queue_eligible: eligible, first_in_line_price: first } = engine.call('standing', request);
console.log(`rank ${rank} of ${eligible}, first at ${first}`);
console.log(`processor time ${shown(7)}, ${shown(0)} to ${shown(14)}; ${engine.memoryBytes / 2 ** 20} MiB of memory`);
