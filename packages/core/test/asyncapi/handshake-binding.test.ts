import { describe, expect, test } from '@jest/globals';
import { anonymous, bearer, cookie, custom, query, subprotocol, tickets } from '@sallyport/core';
import { waysIn } from '../../src/asyncapi/credential-places.ts';
import { handshakeBinding } from '../../src/asyncapi/handshake-binding.ts';
import { internalsOf } from '../../src/guard/internals.ts';
import { guardOf } from '../support/guards.ts';

const from = (...places: ReturnType<typeof query | typeof cookie>[]) =>
  custom({ scheme: 'key', from: places, messageField: 'key', authenticate: () => undefined });
const session = (ambient: boolean) => custom({ scheme: 'session', ambient, authenticate: () => undefined });

function binding(options: object) {
  const { route } = internalsOf(guardOf(options));
  return handshakeBinding(route, waysIn(route));
}

test('a handshake is a GET in version 0.1.0 of the binding', () => {
  expect(binding({})).toMatchObject({ method: 'GET', bindingVersion: '0.1.0' });
});

describe('the query', () => {
  test.each<[string, object, string[] | undefined, string[] | undefined]>([
    ['nothing in it', { auth: [from(bearer())] }, undefined, undefined],
    ['the only place', { auth: [from(query('key'))] }, ['key'], ['key']],
    ['a ticket', { auth: [tickets()] }, ['ticket'], ['ticket']],
    ['one of several places', { auth: [from(query('key'), bearer())] }, ['key'], undefined],
    ['a place, or nothing', { auth: [from(query('key')), anonymous()] }, ['key'], undefined],
    ['a place, or a first message', { auth: [from(query('key'))], firstMessage: true }, ['key'], undefined],
    [
      'an anti-forgery token beside a cookie',
      { auth: [from(cookie('sid'))], csrf: { query: 'csrf', verify: () => true } },
      ['csrf'],
      undefined,
    ],
  ])('the query of a handshake with %s', (_what, options, names, required) => {
    const { query: schema } = binding(options);
    expect(schema === undefined ? undefined : Object.keys(schema.properties as object)).toEqual(names);
    expect(schema?.required).toEqual(required);
  });
});

describe('the origin has to be told where everything else goes along by itself:', () => {
  test.each<[string, object, boolean]>([
    ['a cookie', { auth: [from(cookie('sid'))] }, true],
    ['a session', { auth: [session(true)] }, true],
    ['nothing', { auth: [anonymous()] }, true],
    ['a cookie, or nothing', { auth: [from(cookie('sid')), anonymous()] }, true],
    ['a header', { auth: [from(bearer())] }, false],
    ['a header that a proxy sets', { auth: [from(bearer({ ambient: true }))] }, true],
    ['a cookie or a header', { auth: [from(cookie('sid'), bearer())] }, false],
    ['a certificate of a program', { auth: [session(false)] }, false],
    ['a cookie, or a first message', { auth: [from(cookie('sid'))], firstMessage: true }, false],
  ])('Origin is required or optional in a handshake with %s', (_what, options, required) => {
    const { headers } = binding(options);
    expect(headers.properties).toHaveProperty('Origin.type', 'string');
    expect(headers.required).toEqual(required ? ['Origin'] : undefined);
  });
});

describe('subprotocols', () => {
  const told = (options: object) =>
    (binding(options).headers.properties as Record<string, { description: string }>)['Sec-WebSocket-Protocol']
      ?.description;
  test.each<[string, object, string | undefined]>([
    ['none', {}, undefined],
    ['of the application', { subprotocols: ['chat.v1', 'chat.v2'] }, 'One or more of `chat.v1`, `chat.v2`.'],
    ['with a credential', { auth: [from(subprotocol())] }, '`bearer`, and the credential after it.'],
    [
      'both',
      { auth: [from(subprotocol({ marker: 'key' }))], subprotocols: ['chat.v1'] },
      'One or more of `chat.v1`. `key`, and the credential after it.',
    ],
  ])('subprotocols are described: %s', (_what, options, description) => {
    expect(told(options)).toBe(description);
  });
});
