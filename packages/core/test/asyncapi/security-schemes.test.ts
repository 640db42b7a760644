import { expect, test } from '@jest/globals';
import { anonymous, bearer, cookie, custom, query, subprotocol, tickets } from '@sallyport/core';
import { waysIn } from '../../src/asyncapi/credential-places.ts';
import { securitySchemes } from '../../src/asyncapi/security-schemes.ts';
import { internalsOf } from '../../src/guard/internals.ts';
import { guardOf } from '../support/guards.ts';

const key = custom({
  scheme: 'key',
  from: [bearer(), cookie('sid'), subprotocol({ marker: 'token' }), query('key')],
  messageField: 'key',
  authenticate: () => undefined,
});
const described = (options: object) => securitySchemes(waysIn(internalsOf(guardOf(options)).route));
const http = { type: 'httpApiKey' };
const ticket = expect.stringContaining('ticket');

test('each place of a credential is a security scheme, and the first message as well', () => {
  const schemes = [
    ['bearer', { type: 'http', scheme: 'bearer' }],
    ['cookie.sid', { ...http, in: 'cookie', name: 'sid' }],
    ['subprotocol.token', { ...http, in: 'header', name: 'Sec-WebSocket-Protocol' }],
    ['query.key', { ...http, in: 'query', name: 'key' }],
  ];
  expect(described({ auth: [key] })).toMatchObject(schemes);
  expect(described({ auth: [key], firstMessage: true })).toMatchObject([
    ...schemes,
    ['firstMessage', { type: 'apiKey', in: 'password' }],
  ]);
});

test('the scheme of a ticket says that it is one', () => {
  expect(described({ auth: [tickets()] })).toEqual([
    ['query.ticket', { ...http, in: 'query', name: 'ticket', description: ticket }],
  ]);
  expect(described({ auth: [key] }).map(([, { description }]) => description)).not.toContainEqual(ticket);
});

test('a route without credentials has no security schemes', () => {
  expect(described({ auth: [anonymous()] })).toEqual([]);
});
