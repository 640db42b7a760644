import { createServer } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { anonymous, createGuard, passthrough } from '@sallyport/core';
import { gracefulShutdown, type ShutdownOptions } from '@sallyport/ws';

const OF_PM2 = ['pm_id', 'kill_timeout', 'PM2_KILL_TIMEOUT', 'shutdown_with_message'];
const before = Object.fromEntries(OF_PM2.map((name) => [name, process.env[name]]));
const stopping: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await Promise.all(stopping.splice(0).map((shutdown) => shutdown.close()));
});

/** The lines of the log at start, in an environment with these variables. */
function started(variables: Record<string, string>, options: ShutdownOptions = {}) {
  Object.assign(process.env, variables);
  const lines: string[] = [];
  const guard = createGuard({
    auth: [anonymous()],
    messages: passthrough({ text: true }),
    logger: {
      warn: (_details, text) => {
        if (text.includes('kill_timeout')) lines.push(text);
      },
    },
  });
  const shutdown = gracefulShutdown(createServer(), guard, options);
  stopping.push(shutdown);
  return { lines, shutdown };
}

test.each<[string, Record<string, string>, ShutdownOptions, number]>([
  ['the default of 1600 ms', { pm_id: '0' }, {}, 1_600],
  ['its own kill_timeout', { pm_id: '0', kill_timeout: '5000' }, {}, 5_000],
  ['the kill_timeout of the daemon', { pm_id: '0', PM2_KILL_TIMEOUT: '3000' }, { within: '4s' }, 3_000],
])('PM2 kills too early by %s: the log says so at start', (_what, variables, options, killedAfter) => {
  const { lines } = started(variables, options);
  expect(lines).toEqual([
    expect.stringContaining(`PM2 kills this process ${killedAfter} ms after it told it to stop`),
  ]);
});

test.each<[string, Record<string, string>, ShutdownOptions]>([
  ['without PM2', { kill_timeout: '1000' }, {}],
  ['with a longer kill_timeout', { pm_id: '0', kill_timeout: '6000' }, {}],
  ['with a shorter within', { pm_id: '0' }, { within: '1s' }],
  ['without signals', { pm_id: '0' }, { signals: [] }],
])('no line is logged %s', (_what, variables, options) => {
  expect(started(variables, options).lines).toEqual([]);
});

test('the message `shutdown` starts the shutdown below PM2 with shutdown_with_message, and others do not', async () => {
  const listeners = process.listenerCount('message');
  const { shutdown } = started({ pm_id: '0', kill_timeout: '6000', shutdown_with_message: 'true' });
  expect(process.listenerCount('message')).toBe(listeners + 1);
  process.emit('message', 'something else', undefined);
  expect(process.listenerCount('message')).toBe(listeners + 1);
  process.emit('message', 'shutdown', undefined);
  await shutdown.closed;
  expect(process.listenerCount('message')).toBe(listeners);
});

test.each<Record<string, string>>([{}, { pm_id: '0' }, { shutdown_with_message: 'true' }])(
  'messages of a parent are left alone with %o',
  (variables) => {
    const listeners = process.listenerCount('message');
    started(variables);
    expect(process.listenerCount('message')).toBe(listeners);
  },
);
