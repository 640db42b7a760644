import { describe, expect, test } from '@jest/globals';
import type { Connection } from '@sallyport/core';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { hosts } from './hosts/index.ts';

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  test('a route whose client leaves while it waits: its late onClose listener is called, and its signal has aborted', async () => {
    const guard = chatGuard();
    const told: unknown[] = [];
    let loaded: (() => void) | undefined;
    const app = await start(host, {
      guard,
      chat: async (connection: Connection) => {
        const { signal } = connection;
        signal.addEventListener('abort', () => told.push('aborted'));
        await new Promise<void>((resolve) => {
          loaded = resolve;
        });
        connection.onClose((event) => told.push(event));
        told.push(connection.state, connection.signal === signal);
      },
    });
    const wire = await open(app, { headers: await goodHeaders() });
    await eventually(() => loaded !== undefined, 'the handler');
    wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'the end');
    loaded?.();
    await eventually(() => told.length === 4, 'the late listener');
    expect(told).toEqual(['aborted', 'closed', true, { code: 1006, reason: undefined }]);
  });
});
