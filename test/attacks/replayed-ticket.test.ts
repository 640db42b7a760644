// A3: a ticket works once, for the origin and the route that it was issued for, within 30 seconds.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, query, type TicketRequest, tickets } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, chatJwt } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const GENEROUS = {
  handshakes: { rate: '10000/s', burst: 10_000 },
  authFailures: { rate: '10000/s', burst: 10_000 },
} as const;
const REPLAYS = 1_000;

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  const serve = async (options: object = {}) => {
    const clock = new ManualClock();
    const guard: AnyGuard = chatGuard({ clock, auth: [tickets()] as never, ...options, limits: GENEROUS });
    const issue = (request: Partial<TicketRequest> = {}) =>
      guard.tickets.issue({ subject: 'alice', origin: APP, route: '/chat', ...request });
    return { clock, guard, issue, app: await start(host, { guard }) };
  };
  const from = (ticket: string, Origin: string | null = APP, path = '/chat') => ({
    target: `${path}?ticket=${ticket}`,
    headers: { Origin },
  });

  test('a ticket in 1,000 handshakes at once opens exactly one connection', async () => {
    const { app, guard, issue } = await serve();
    const ticket = await issue();
    const wires = await Promise.all(Array.from({ length: REPLAYS }, () => dial(app)));
    for (const wire of wires) wire.handshake(from(ticket));
    const answers = await Promise.all(wires.map((wire) => wire.head()));
    expect(answers.filter(({ status }) => status === 101)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(REPLAYS - 1);
    await eventually(() => app.handled.length > 0, 'the handler');
    expect([app.handled.length, guard.stats().connections]).toEqual([1, 1]);
  }, 60_000);

  test('a ticket in 15 first messages at once opens exactly one connection', async () => {
    const { app, guard, issue } = await serve({ firstMessage: true });
    const ticket = await issue();
    const wires = await Promise.all(
      Array.from({ length: 15 }, () => open(app, { headers: { Origin: APP } })),
    );
    for (const wire of wires) wire.send(authenticate({ ticket }));
    await eventually(() => guard.stats().connections === 1, 'the one');
    await eventually(() => wires.filter((wire) => wire.frames().length > 0).length === 14, 'the refusals');
    expect([app.handled.length, guard.stats().connections]).toEqual([1, 1]);
  });

  test.each<[string, Partial<TicketRequest>, string | null, string]>([
    ['by another page', { route: 'any' }, 'https://other.example.com', '/chat'],
    ['without an origin', {}, null, '/chat'],
    ['from a sandboxed frame', {}, 'null', '/chat'],
    ['at another route', {}, APP, '/bare'],
  ])('a ticket presented %s gets 401 and cannot be used afterwards', async (_what, request, origin, path) => {
    const { app, issue } = await serve({ origins: [APP, 'https://other.example.com'] });
    const ticket = await issue(request);
    expect(verdict(await refused(app, from(ticket, origin, path)))).toBe('401 credential_invalid');
    expect(verdict(await refused(app, from(ticket)))).toBe('401 credential_invalid');
    expect(app.handled).toEqual([]);
  });

  test('a ticket is admitted until 29.999 s and gets 401 at 30 s', async () => {
    const { app, clock, issue } = await serve();
    const [late, timely] = [await issue(), await issue()];
    clock.advance(29_999);
    await open(app, from(timely));
    clock.advance(1);
    expect(verdict(await refused(app, from(late)))).toBe('401 credential_invalid');
  });

  test('a ticket whose handshake got 503 capacity can still be used', async () => {
    const crowded = chatGuard({
      auth: [tickets(), chatJwt([bearer()])] as never,
      limits: { ...GENEROUS, connections: 1 },
    });
    const small = await start(host, { guard: crowded });
    const first = await crowded.tickets.issue({ subject: 'a', origin: APP, route: '/chat' });
    const second = await crowded.tickets.issue({ subject: 'b', origin: APP, route: '/chat' });
    const wire = await open(small, from(first));
    expect(verdict(await refused(small, from(second)))).toBe('503 capacity');
    wire.destroy();
    await eventually(() => crowded.stats().connections === 0, 'the free slot');
    await open(small, from(second));
  });

  test('a ticket appears in no log, handler, event or answer', async () => {
    const told: unknown[] = [];
    const guard = chatGuard({ auth: [tickets({ from: [query('pass')] })] as never });
    for (const name of ['handshake.admitted', 'handshake.denied', 'connection.opened'] as const)
      guard.on(name, (event) => void told.push(event));
    const app = await start(host, { guard });
    const ticket = await guard.tickets.issue({ subject: 'alice', origin: APP, route: '/chat' });
    const options = { target: `/chat?room=7&pass=${ticket}`, headers: { Origin: APP } };
    const wire = await open(app, options);
    await eventually(() => app.handled.length === 1, 'the handler');
    const again = await refused(app, options);
    const texts = [
      app.handled.join(),
      app.logged.join(),
      JSON.stringify(told),
      again.raw,
      (await wire.head()).raw,
    ];
    expect(texts.map((text) => text.includes(ticket))).toEqual(texts.map(() => false));
    expect(app.handled[0]).toContain('room=7');
    expect(told).toHaveLength(3);
  });
});
