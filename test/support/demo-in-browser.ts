import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { type Demo, startDemo } from '../../examples/chat/demo.ts';
import { launch } from './chromium.ts';

/** Starts demos and opens browser contexts for a suite. Both end with the test that made them. */
export function demoInBrowser(executablePath: string) {
  let browser: Browser;
  const demos: Demo[] = [];
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    browser = await launch(executablePath);
  }, 60_000);
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    await Promise.all(demos.splice(0).map((demo) => demo.close()));
  });
  afterAll(() => browser?.close());
  return {
    async start(
      options: Pick<Parameters<typeof startDemo>[0], 'host'> & { readonly tls?: boolean },
      parts?: Parameters<typeof startDemo>[1],
    ): Promise<Demo> {
      const demo = await startDemo({ port: 0, tls: false, silent: true, ...options }, parts);
      demos.push(demo);
      return demo;
    },
    /** A browser context of its own, without cookies. */
    async visit(options?: BrowserContextOptions): Promise<BrowserContext> {
      const context = await browser.newContext(options);
      contexts.push(context);
      return context;
    },
  };
}
