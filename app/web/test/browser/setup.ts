/** One Chromium for all tests; each file connects to it and opens contexts of its own. */
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';

const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the browser is reached. */
    readonly browser: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const executablePath =
    process.env['BALLAST_CHROMIUM'] ?? CHROMIUMS.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error('Chromium is missing: install it, or name it in BALLAST_CHROMIUM');
  }
  const server = await chromium.launchServer({ executablePath, args: ['--no-sandbox'] });
  provide('browser', server.wsEndpoint());
  return () => server.close();
}
