/** The built page in a real Chromium. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { inject } from 'vitest';

import type { Person, TestNode } from './node';
import { injectWallet } from './wallet';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const TYPES: { readonly [extension: string]: string } = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Where a node is reached. */
type NodeUrls = Pick<TestNode['served'], 'rpc' | 'websocket'>;

/** The built page, served. */
export type Served = { readonly url: string; stop(): Promise<void> };

/** Serves the built page with a `config.json` that names the given nodes, and says `more`. */
export async function serve(nodes: readonly NodeUrls[], more: object = {}): Promise<Served> {
  const config = JSON.stringify({
    nodes: nodes.map(({ rpc, websocket }) => ({ rpc, ws: websocket })),
    ...more,
  });
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://site').pathname);
    const file = join(DIST, path === '/' ? 'index.html' : path);
    const body = path === '/config.json' ? Promise.resolve(Buffer.from(config)) : readFile(file);
    body.then(
      (bytes) =>
        response
          .writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' })
          .end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}/`, stop };
}

/** A browser, and where it finds the page. */
export class TestSite {
  private constructor(
    readonly url: string,
    private readonly browser: Browser,
    private readonly served?: Served,
  ) {}

  /** The page on a server of its own whose `config.json` names the given nodes, and says `more`. */
  static async start(nodes: readonly NodeUrls[], more: object = {}): Promise<TestSite> {
    const served = await serve(nodes, more);
    return new TestSite(served.url, await browser(), served);
  }

  /** The page where somebody else serves it. */
  static async at(url: string): Promise<TestSite> {
    return new TestSite(url, await browser());
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.served?.stop();
  }

  /** A page of the app as a new visitor sees it, with somebody's wallet in the browser; what its scripts throw fails the test. */
  async visit(hash: string, person?: Person, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const thrown: string[] = [];
    page.on('pageerror', (error) => thrown.push(String(error)));
    if (person !== undefined) {
      await page.addInitScript(injectWallet, {
        address: person.wallet,
        seed: person.keypair.slice(0, 32),
      });
    }
    await page.goto(`${this.url}${hash}`);
    if (person !== undefined) {
      await page.getByRole('button', { name: 'Connect Test wallet' }).click();
    }
    const end = async () => {
      // A route may still wait for an answer that nobody looks at any more.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await context.close();
    };
    return { page, thrown, end };
  }
}

function browser(): Promise<Browser> {
  return chromium.connect(inject('browser'));
}

/** A page that somebody looks at. */
export type Visit = {
  readonly page: Page;
  /** What its scripts threw. */
  readonly thrown: string[];
  end(): Promise<void>;
};

/** The figure of a name, as its text. */
export async function figure(scope: { locator: Page['locator'] }, name: string): Promise<string> {
  return scope.locator(`[data-figure="${name}"] dd`).first().innerText();
}

/** Waits until a transaction has come to its end in the last status line of a scope; what the line says. */
export async function ended(scope: { locator: Page['locator'] }): Promise<string> {
  const line = scope
    .locator(
      '.sent[data-stage="confirmed"], .sent[data-stage="refused"], .sent[data-stage="expired"]',
    )
    .first();
  await line.waitFor();
  return line.innerText();
}
