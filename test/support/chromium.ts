import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Frame, type Page } from 'playwright-core';

/** Host names of different sites, all mapped to this machine. */
const RESOLVER = 'MAP *.test 127.0.0.1';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
  `--host-resolver-rules=${RESOLVER}`,
];

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/**
 * A browser whose profile sends `SameSite=None` cookies in cross-site requests, as browsers did for long and still do if a user
 * or an administrator allows it.
 */
export async function withCrossSiteCookies(
  executablePath: string,
): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), 'sallyport-chromium-'));
  await mkdir(join(profile, 'Default'));
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ARGUMENTS,
    ignoreHTTPSErrors: true,
  });
  const close = async (): Promise<void> => {
    await context.close();
    // Processes of the browser may still write while they end.
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  return { context, close };
}

export interface Attempt {
  readonly opened: boolean;
  /** The first message, if one came. */
  readonly heard: unknown;
}

/** Opens a WebSocket from a script of this page, and returns the first message or that it ended without one. */
export function attempt(page: Page | Frame, url: string): Promise<Attempt> {
  return page.evaluate(
    (address) =>
      new Promise<Attempt>((resolve) => {
        let opened = false;
        const socket = new WebSocket(address);
        socket.onopen = () => {
          opened = true;
        };
        socket.onmessage = ({ data }) => {
          resolve({ opened, heard: JSON.parse(data as string) });
          socket.close();
        };
        socket.onclose = () => resolve({ opened, heard: undefined });
      }),
    url,
  );
}
