/** A real node over the built program, with a market and people in it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Somebody of the market. */
export type Person = {
  readonly wallet: string;
  readonly trader: string;
  readonly tokens: string;
  /** As a keypair file has it: 32 secret bytes, then 32 public ones. */
  readonly keypair: number[];
};

/** One of some people, by place; `-1` is the last. */
export function personAt(people: readonly Person[], place: number): Person {
  const found = people.at(place);
  if (found === undefined) {
    throw new Error(`nobody stands at ${place} of ${people.length}`);
  }
  return found;
}

/** What the node prints when it serves. */
export type Served = {
  readonly rpc: string;
  readonly websocket: string;
  readonly admin: number[];
  readonly seeded: {
    readonly market: string;
    readonly name: string;
    readonly price_ticks: number;
    readonly longs: Person[];
    readonly shorts: Person[];
    readonly maker: Person;
  };
};

const ROOT = new URL('../../../../', import.meta.url);
const inRoot = (path: string) => fileURLToPath(new URL(path, ROOT));

/** The built program. */
export const PROGRAM = process.env['BALLAST_SO'] ?? inRoot('target/deploy/ballast.so');
/** The built gate, which holds the upgrade authority. */
export const GATE = process.env['BALLAST_GATE_SO'] ?? inRoot('target/deploy/ballast_gate.so');
/** The built program that writes prices. */
export const ORACLE = process.env['BALLAST_ORACLE_SO'] ?? inRoot('target/deploy/oracle_writer.so');
/** What a market on a test validator is made of. */
export const MARKET = inRoot('tests/e2e/market.toml');

/** The commands of the workspace, where `cargo build` puts them. */
export function command(name: string): string {
  const folder = process.env['BALLAST_BIN'] ?? inRoot('target/debug');
  return `${folder}/${name}`;
}

/** A running node. */
export class TestNode {
  private constructor(
    readonly served: Served,
    private readonly process: ChildProcess,
  ) {}

  /** Starts one at a free port. */
  static async start(): Promise<TestNode> {
    const started = spawn(
      command('ballast-node'),
      ['--port', '0', '--program', PROGRAM, '--seed-market', '--control'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const served = new Promise<Served>((resolve, reject) => {
      started.once('error', reject);
      started.once('exit', (code) => reject(new Error(`ballast-node ended with ${code}`)));
      createInterface({ input: started.stdout }).once('line', (line) =>
        resolve(JSON.parse(line) as Served),
      );
    });
    return new TestNode(await served, started);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
  }

  /** Publishes a price from now on, in ticks. */
  async price(ticks: number): Promise<void> {
    await this.control('price', { ticks });
  }

  /** Lets time pass. */
  async pass(seconds: number): Promise<void> {
    await this.control('clock', { seconds });
  }

  async control(page: string, body: object): Promise<void> {
    const answer = await fetch(new URL(`/control/${page}`, this.served.rpc), {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) {
      throw new Error(`/control/${page}: ${answer.status} ${await answer.text()}`);
    }
  }
}

/** What `ballast ... --output json` answers on this node. */
export async function ballast(served: Served, ...args: string[]): Promise<unknown> {
  const child = spawn(command('ballast'), ['--url', served.rpc, '--output', 'json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = (await child.stdout.toArray()).join('');
  // Whole numbers beyond 2^53 would lose digits.
  return JSON.parse(text.replace(/(?<=[:[,]\s*)(-?\d{16,})(?=[,\]}\s])/g, '"$1"'));
}
