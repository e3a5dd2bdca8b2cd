/** The real gateway on a node, as an operator starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { command, type Served } from './node';

/** A running gateway: its process, and where it listens, without a slash at the end. */
export type TestGateway = { readonly process: ChildProcess; readonly url: string };

/** Starts one whose database is in `folder`; `alerts` is what its configuration says of those. */
export async function startGateway(
  folder: string,
  { rpc, websocket }: Served,
  alerts = '',
): Promise<TestGateway> {
  const config = join(folder, 'gateway.toml');
  await writeFile(
    config,
    `listen = "127.0.0.1:0"\n[store]\nsqlite = "${join(folder, 'gateway.sqlite')}"\n` +
      alerts +
      `[[node]]\nrpc = "${rpc}"\nwebsocket = "${websocket}"\n`,
  );
  const process = spawn(command('ballast-gateway'), ['--config', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((resolve, reject) => {
    process.once('exit', (code) => reject(new Error(`ballast-gateway ended with ${code}`)));
    createInterface({ input: process.stdout }).once('line', (line) =>
      resolve({ process, url: `http://${line.replace('listening on ', '')}` }),
    );
  });
}
