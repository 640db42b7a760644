import { afterEach, expect, test } from '@jest/globals';
import { application, guardFor } from './support/application.ts';

afterEach(() => {
  delete process.env.pm_id;
  delete process.env.kill_timeout;
});

test.each([
  ['5000', 1],
  ['7000', 0],
])(
  'below PM2 with a kill_timeout of %s ms, a closeWithin of 5 s is named in %d lines of the log',
  async (killTimeout, count) => {
    process.env.pm_id = '0';
    process.env.kill_timeout = killTimeout;
    const lines: string[] = [];
    const guard = guardFor({ logger: { warn: (_details, text) => void lines.push(text) } });
    const app = await application({ guard });
    await app.ready();
    expect(lines.filter((line) => line.includes('kill_timeout: 6000'))).toHaveLength(count);
  },
);
