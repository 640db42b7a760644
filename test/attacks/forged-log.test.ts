// O7: texts of the network are escaped where events are made, so that they end no line of a log and drive no terminal.
import { describe, expect, test } from '@jest/globals';
import { custom, eventNames, passthrough, query, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { send } from '../support/auth-frames.ts';
import { APP, chatGuard, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const FORGED = '\n2030-01-01 admin logged in\u001b[2J\u202e';
const RAW = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Collects the texts of all events, and the lines of the log. */
function record(options: PolicyOverrides = {}) {
  const texts: string[] = [];
  const warn = (details: object, text: string): void => void texts.push(text, ...textsOf(details));
  const guard = chatGuard({ ...options, logger: { warn } });
  for (const name of eventNames) guard.on(name, (event) => void texts.push(...textsOf(event)));
  return { guard, texts };
}

const textsOf = (facts: object): string[] => Object.values(facts).filter((fact) => typeof fact === 'string');

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test('the key of a message cannot forge a line', async () => {
    const { guard, texts } = record({
      messages: {
        say: Type.Object({}, { additionalProperties: Type.Record(Type.String(), Type.Number()) }),
      } as never,
    });
    const app = await start(host, { guard });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(send({ type: 'say', [FORGED]: { [FORGED]: 'x' } }));
    await eventually(() => texts.some((text) => text.includes('admin logged in')), 'the event');
    expect(texts.filter((text) => RAW.test(text))).toEqual([]);
    expect(texts.join()).toContain('\\u000a2030-01-01 admin logged in\\u001b[2J\\u202e');
  });

  test('the subject of a credential cannot forge a line', async () => {
    const named = custom({
      scheme: 'key',
      from: [query('name')],
      authenticate: ({ credential }) => ({ subject: `${credential}` }),
    });
    const { guard, texts } = record({
      auth: [named] as never,
      messages: passthrough({ text: true }) as never,
    });
    const app = await start(host, { guard });
    await open(app, { target: `/chat?name=${encodeURIComponent(FORGED)}`, headers: { Origin: APP } });
    await eventually(() => texts.some((text) => text.includes('admin logged in')), 'the event');
    expect(texts.filter((text) => RAW.test(text))).toEqual([]);
  });

  test('the bytes of an Origin or a Host that drive a terminal do not', async () => {
    const { guard, texts } = record();
    const app = await start(host, { guard });
    for (const [name, value] of [
      ['Origin', 'https://\u009b2J.example'],
      ['Host', '\u009b2J\u0085.example'],
    ] as const) {
      const before = texts.length;
      await refused(app, { headers: { ...(await goodHeaders()), [name]: value } });
      await eventually(() => texts.length > before, 'the event');
    }
    expect(texts.filter((text) => RAW.test(text))).toEqual([]);
  });
});
