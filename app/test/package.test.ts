/** The packed package in a fresh project: installed, imported both ways, type-checked. Without a network. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

// Compiled tests lie in build/test.
const APP = join(__dirname, '../..');

type Packed = { filename: string; integrity: string; files: { path: string }[] };
type Locked = { dev?: boolean; version?: string };
type Lock = { lockfileVersion: number; packages: { [path: string]: Locked } };

function run(folder: string, command: string, ...words: string[]): string {
  return execFileSync(command, words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

/** A project that depends on the tarball; the versions of the rest are those of this package. */
function project(folder: string, packed: Packed): void {
  const own = read<{ version: string; dependencies: object; overrides: object }>(join(APP, 'package.json'));
  const lock = read<Lock>(join(APP, 'package-lock.json'));
  const rest = Object.entries(lock.packages).filter(([path, one]) => path !== '' && !one.dev);
  const tarball = `file:${packed.filename}`;
  const { overrides } = own;
  const dependencies = { 'ballast-client': tarball };
  const fresh = { name: 'fresh', version: '1.0.0', dependencies, overrides };
  const packages = {
    '': fresh,
    ...Object.fromEntries(rest),
    'node_modules/ballast-client': {
      version: own.version,
      resolved: tarball,
      integrity: packed.integrity,
      dependencies: own.dependencies,
    },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...fresh, private: true }));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...fresh, lockfileVersion: lock.lockfileVersion, requires: true, packages }),
  );
}

test('a packed tarball installs, imports and type-checks in a fresh project', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-package-'));
  try {
    // Its own build is a script, which a user's settings may hold back.
    const pack = ['pack', '--ignore-scripts=false', '--silent', '--json', '--pack-destination'];
    const told = run(APP, 'npm', ...pack, folder);
    const [packed] = JSON.parse(told.slice(told.indexOf('['))) as Packed[];
    assert.ok(packed !== undefined);
    const paths = packed.files.map((file) => file.path);
    assert.ok(paths.includes('dist/index.js') && paths.includes('dist/index.d.ts'));
    assert.ok(paths.includes('wasm/ballast.wasm') && paths.includes('wasm/backstop.wasm'));
    assert.ok(paths.every((path) => !path.startsWith('test') && !path.startsWith('src')));
    project(folder, packed);
    run(folder, 'npm', 'ci', '--offline', '--silent', '--no-audit', '--no-fund');
    const program = 'BALLAST_PROGRAM_ADDRESS';
    const names = `{ ${program}, findPriceFeedAddress, decodeMarketName, bookOrders }`;
    const shown = `console.log(typeof bookOrders, typeof decodeMarketName, ${program}.length > 30)`;
    const module = "require('node:fs').readFileSync(require.resolve('ballast-client/engine.wasm'))";
    const asks = `require('ballast-client').loadEngine(${module}).then((engine) => console.log(typeof engine.queue))`;
    writeFileSync(join(folder, 'd.cjs'), asks);
    writeFileSync(join(folder, 'a.cjs'), `const ${names} = require('ballast-client'); ${shown}`);
    writeFileSync(join(folder, 'b.mjs'), `import ${names} from 'ballast-client'; ${shown}`);
    for (const file of ['a.cjs', 'b.mjs']) {
      assert.equal(run(folder, process.execPath, file), 'function function true\n');
    }
    assert.equal(run(folder, process.execPath, 'd.cjs'), 'function\n');
    const typed = [
      `import { ${program}, fetchMarket, type Market } from 'ballast-client';`,
      'export const program: string = BALLAST_PROGRAM_ADDRESS;',
      'export const name = (market: Market): number => market.index;',
      'export const fetch: typeof fetchMarket = fetchMarket;',
    ];
    writeFileSync(join(folder, 'c.mts'), typed.join('\n'));
    const compiler = join(APP, 'node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--module', 'node16', '--skipLibCheck', 'c.mts'];
    run(folder, process.execPath, compiler, ...options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
