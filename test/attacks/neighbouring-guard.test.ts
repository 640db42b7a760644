// O6: several guards behind one outer door serve people of different rights. What one of them sends, lists, closes, counts and
// tells is about its own connections and those of the guards that extend it, so that a mistake reaches nobody else.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, type EventName, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { Wire } from '../support/wire.ts';

const replies = { said: Type.Object({ text: Type.String() }) };

describe.each(hosts.filter(({ capabilities }) => capabilities.routeGuards))('$name', (host) => {
  const { start, open, refused } = applications();

  /** An application whose `/chat` the first guard serves and whose `/admin` an extension serves, and a client of each. */
  async function twoRoutes() {
    const guard = chatGuard({ name: 'chat', replies, firstMessage: true });
    const admin: AnyGuard = guard.extend({
      name: 'admin',
      authorize: ({ identity }) => identity.subject === 'root',
    });
    const app = await start(host, { guard, admin });
    const enter = async (target: string, subject: string): Promise<Wire> =>
      open(app, { target, headers: await goodHeaders(subject) });
    const [user, operator] = [await enter('/chat', 'alice'), await enter('/admin', 'root')];
    await eventually(() => guard.stats().connections === 2, 'both clients');
    return { app, guard, admin, enter, user, operator };
  }

  const subjects = (guard: AnyGuard) => [...guard.connections()].map(({ identity }) => identity.subject);
  const heard = (guard: AnyGuard, names: readonly EventName[]) => {
    const events: string[] = [];
    for (const name of names) guard.on(name, (event) => void events.push(`${event.guard} ${name}`));
    return events;
  };

  test('a broadcast of an extension reaches its own clients, and no client of the guard that it extends', async () => {
    const { guard, admin, user, operator } = await twoRoutes();
    expect(admin.broadcast('said', { text: 'for operators' })).toBe(1);
    expect(guard.broadcast('said', { text: 'for all' })).toBe(2);
    const texts = (wire: Wire, count: number) =>
      wire.messages(count).then((all) => all.map((message) => JSON.parse(message as string).text));
    expect(await texts(operator, 2)).toEqual(['for operators', 'for all']);
    expect(await texts(user, 1)).toEqual(['for all']);
  });

  test('an extension lists and counts its own clients; the family has them all', async () => {
    const { guard, admin, app } = await twoRoutes();
    expect([subjects(admin), subjects(guard), subjects(admin.family)]).toEqual([
      ['root'],
      ['alice', 'root'],
      ['alice', 'root'],
    ]);
    const outsider = { target: '/admin', headers: await goodHeaders('mallory') };
    expect(verdict(await refused(app, outsider))).toBe('403 not_authorized');
    const foreign = { headers: { ...(await goodHeaders()), Origin: 'https://evil.example' } };
    expect(verdict(await refused(app, foreign))).toBe('403 origin_denied');
    expect(admin.stats()).toMatchObject({ connections: 1, admitted: 1, denied: { not_authorized: 1 } });
    expect(guard.stats()).toMatchObject({
      connections: 2,
      admitted: 2,
      denied: { not_authorized: 1, origin_denied: 1 },
    });
  });

  test('an event names the guard that decided, and reaches its listeners and those of the guards that it extends', async () => {
    const { guard, admin, app, operator, user } = await twoRoutes();
    const names = ['handshake.denied', 'handshake.admitted', 'message.denied', 'connection.closed'] as const;
    const [ofGuard, ofAdmin] = [heard(guard, names), heard(admin, names)];
    await refused(app, { target: '/admin', headers: await goodHeaders('mallory') });
    await refused(app, { headers: { ...(await goodHeaders()), Origin: 'https://evil.example' } });
    for (const wire of [operator, user]) wire.destroy();
    await eventually(() => ofGuard.length === 4, 'four events');
    expect(ofAdmin).toEqual(['admin handshake.denied', 'admin connection.closed']);
    expect(ofGuard.slice(0, 2)).toEqual(['admin handshake.denied', 'chat handshake.denied']);
    expect(ofGuard.slice(2).sort()).toEqual(['admin connection.closed', 'chat connection.closed']);
  });

  test('the end of an extension ends its clients and refuses new ones, and the other routes go on', async () => {
    const { guard, admin, app, operator, user, enter } = await twoRoutes();
    const late = await open(app, { target: '/admin', headers: { Origin: APP } });
    await eventually(() => admin.stats().pending === 1, 'a client that has yet to authenticate');
    const ended = admin.close();
    for (const wire of [operator, late]) {
      expect(await wire.closeCode()).toBe(1001);
      wire.destroy();
    }
    await ended;
    const again = { target: '/admin', headers: await goodHeaders('root') };
    expect(verdict(await refused(app, again))).toBe('503 shutting_down');
    expect(subjects(guard)).toEqual(['alice']);
    expect(guard.broadcast('said', { text: 'still here' })).toBe(1);
    expect(await user.messages(1)).toHaveLength(1);
    await enter('/chat', 'bob');
    await eventually(() => guard.stats().connections === 2, 'a new client of the other route');
  });
});
