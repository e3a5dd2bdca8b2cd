import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Where scripts, styles and requests may come from; the page narrows requests to the chosen nodes. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: wss: http: ws:",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The built page states its policy; the development server needs inline scripts. */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        {
          tag: 'meta',
          attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
          injectTo: 'head-prepend',
        },
      ],
    },
  };
}

/** The generated client leaves the program's sentences out of a production bundle; a trader needs them. */
function programSentences(): Plugin {
  return {
    name: 'program-sentences',
    transform(code, id) {
      if (!id.endsWith('/generated/errors/ballast.ts')) {
        return null;
      }
      const kept = code.replaceAll('process.env["NODE_ENV"] !== "production"', 'true');
      if (kept === code) {
        throw new Error(`${id} does not look as expected; see programSentences in vite.config.ts`);
      }
      return { code: kept, map: null };
    },
  };
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: './',
  plugins: [react(), programSentences(), contentSecurityPolicy()],
  resolve: {
    alias: { 'ballast-client': here('../src/index.ts') },
    dedupe: ['@solana/kit'],
  },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  server: { fs: { allow: [here('..')] } },
  test: {
    // Files wait for nodes and pages more than they compute.
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['test/browser/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
