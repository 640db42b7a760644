// Real processes of every host that get SIGTERM, as from an orchestrator: connections are closed with 1001, running handlers
// finish and answer, new handshakes get 503, a peer that ignores its close is dropped, and the process exits by itself.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Host } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { verdict } from '../support/applications.ts';
import { say } from '../support/auth-frames.ts';
import { goodHeaders } from '../support/chat-policy.ts';
import { NodeProcess } from '../support/node-process.ts';
import { admitted, Wire } from '../support/wire.ts';
import { START } from './crowd.ts';

/** Milliseconds for the shutdown: longer than the test needs for its other steps. */
const WITHIN = 2_000;

const nodes = new Map<string, NodeProcess>();
beforeAll(async () => {
  const start = async ({ name }: Host) =>
    nodes.set(name, await NodeProcess.start('ending-node', name, `${WITHIN}`));
  await Promise.all(hosts.map(start));
}, START);
afterAll(() => NodeProcess.endAll(), START);

describe.each(hosts)('$name', ({ name }) => {
  test('SIGTERM closes idle connections, answers the message in the handler, refuses new ones, and the process exits', async () => {
    const node = nodes.get(name) as NodeProcess;
    const port = Number(node.line);
    const headers = await goodHeaders();
    const [busy, idle, stubborn] = [
      await admitted(port, { headers }),
      await admitted(port, { headers }),
      await admitted(port, { headers }),
    ];
    busy.send(say('work'));
    expect(await busy.messages(1)).toHaveLength(1);

    node.signal('SIGTERM');
    expect([await idle.closeCode(), await stubborn.closeCode()]).toEqual([1001, 1001]);
    idle.destroy();
    const late = await Wire.open(port);
    expect(verdict(await late.handshake({ headers }).answer())).toBe('503 shutting_down');
    late.destroy();
    expect(busy.frames().map(({ opcode }) => opcode)).toEqual([0x1]);

    node.signal('SIGUSR2');
    const texts = (await busy.messages(2)).map((text) => (JSON.parse(text) as { text: string }).text);
    expect(texts).toEqual(['begun', 'done']);
    expect(await busy.closeCode()).toBe(1001);
    busy.destroy();
    expect(stubborn.ended).toBe(false);
    await stubborn.until(() => stubborn.ended, 'the end of who does not answer its close');
    stubborn.destroy();
    expect([await node.ended(), node.errors]).toEqual([0, '']);
  }, 30_000);
});
