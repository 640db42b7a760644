// A2, H11: a token in a URL or among the subprotocols never reaches a log, a handler, an event or the answer.
import { describe, expect, test } from '@jest/globals';
import type { GuardEvents } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { APP, chatGuard, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame, type HandshakeOptions } from '../support/wire.ts';

const EVENTS: readonly (keyof GuardEvents)[] = [
  'handshake.admitted',
  'handshake.denied',
  'handshake.reported',
  'connection.opened',
  'connection.closed',
  'message.denied',
  'fault',
];

const places: Record<string, (token: string) => HandshakeOptions> = {
  'in the query': (text) => ({ target: `/chat?room=7&token=${text}` }),
  'among the subprotocols': (text) => ({ headers: { 'Sec-WebSocket-Protocol': `bearer, ${text}, chat.v1` } }),
  'among the subprotocols, on three lines': (text) => ({
    headers: { 'Sec-WebSocket-Protocol': ['chat.v1', 'bearer', text] },
  }),
  'in the query, twice': (text) => ({ target: `/chat?token=${text}&room=7&token=${text}` }),
};

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  describe.each(Object.keys(places))('%s', (place) => {
    test.each<[string, PolicyOverrides, string]>([
      ['of a client that is admitted', {}, APP],
      ['of a client that authorize refuses', { authorize: () => false }, APP],
      ['of a client that is refused for its origin', {}, 'https://evil.example'],
      [
        'of a client that is refused because authorize throws',
        {
          authorize: () => {
            throw new Error('a bug');
          },
        },
        APP,
      ],
    ])('a token %s appears in no answer, event, handler or log', async (_what, policy, Origin) => {
      const told: unknown[] = [];
      const logger = { warn: (...all: unknown[]) => void told.push(...all) };
      const guard = chatGuard({ subprotocols: ['chat.v1'], logger, ...policy });
      for (const name of EVENTS)
        guard.on(
          name,
          (event) => void told.push({ ...event, error: String((event as { error?: unknown }).error) }),
        );
      const app = await start(host, { guard });
      const secret = await token();
      const { target, headers } = (places[place] as (typeof places)[string])(secret);
      const wire = (await dial(app)).handshake({
        ...(target && { target }),
        headers: { Origin, ...headers },
      });
      const { status, raw } = await wire.head();
      if (status === 101) {
        wire.send(frame('junk'));
        await wire.messages(1);
        await eventually(() => app.handled.length === 1, 'the handler');
      }
      expect(told).not.toEqual([]);
      const signature = secret.split('.')[2] as string;
      for (const [where, text] of Object.entries({
        answer: raw,
        events: JSON.stringify(told),
        handler: app.handled.join(),
        log: app.logged.join(),
      }))
        expect([where, text.includes(secret) || text.includes(signature)]).toEqual([where, false]);
      // The other parameters of the query are left as they were.
      if (status === 101 && target !== undefined) expect(app.handled.join()).toContain('room=7');
    });
  });

  if (host.capabilities.middleware) {
    test("the application's own logger sees the request's other query parameters", async () => {
      const app = await start(host, { guard: chatGuard() });
      const wire = (await dial(app)).handshake({
        target: `/chat?room=7&token=${await token()}`,
        headers: { Origin: APP },
      });
      expect(await wire.head()).toMatchObject({ status: 101 });
      expect(app.logged.join()).toContain('room=7');
    });
  }
});
