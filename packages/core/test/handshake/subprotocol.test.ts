import { describe, expect, test } from '@jest/globals';
import { bearer, custom, subprotocol } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import { decide } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const authenticate = ({ credential }: { credential: string | undefined }) =>
  credential === 'tok' ? { subject: 'alice' } : undefined;
const AUTH = [custom({ scheme: 'key', from: [subprotocol(), bearer()], authenticate })];

async function answer(offered: string | null, options: object = {}, authorization: string | null = null) {
  const guard = guardOf({ auth: AUTH, subprotocols: ['chat.v2', 'chat.v1'], ...options });
  const headers = { 'Sec-WebSocket-Protocol': offered, Authorization: authorization };
  const decision = await decide(guard, upgradeRequest({ headers }));
  return decision.denied ? decision.reason : decision.subprotocol;
}

describe('the answer', () => {
  test.each([
    ['bearer, tok', 'bearer'],
    ['bearer, tok, chat.v1', 'chat.v1'],
    ['chat.v1, bearer, tok', 'chat.v1'],
    ['chat.v1, chat.v2, bearer, tok', 'chat.v1'],
    ['unknown, bearer, tok', 'bearer'],
    ['unknown, chat.v2, bearer, tok', 'chat.v2'],
  ])('offers %s with a token are answered with %s', async (offered, expected) => {
    expect(await answer(offered)).toBe(expected);
  });

  test.each([
    [null, undefined],
    ['chat.v2', 'chat.v2'],
    ['unknown', 'subprotocol_denied'],
    ['CHAT.V1', 'subprotocol_denied'],
  ])('offers %s beside a bearer header are answered with %s', async (offered, expected) => {
    expect(await answer(offered, {}, 'Bearer tok')).toBe(expected);
  });

  test('the answer is the marker and not the token, even if the application has a subprotocol of that name', async () => {
    expect(await answer('bearer, tok', { subprotocols: ['tok'] })).toBe('bearer');
  });

  test('in report-only mode unknown offers are answered with no subprotocol', async () => {
    expect(await answer('unknown', { report: ['subprotocol'] }, 'Bearer tok')).toBeUndefined();
  });
});

test("offered subprotocols are shown without tokens of any route's marker", async () => {
  const base = guardOf({ auth: AUTH, subprotocols: ['chat.v1'] });
  base.extend({
    auth: [custom({ scheme: 'other', from: [subprotocol({ marker: 'ticket' })], authenticate })],
  });
  const handshake = hostGuard(base).begin(
    upgradeRequest({ headers: { 'Sec-WebSocket-Protocol': 'chat.v1, bearer, tok, ticket, secret, last' } }),
    () => {},
  );
  expect(await hostGuard(base).enter(handshake)).toBeUndefined();
  expect(handshake.offeredSubprotocols).toEqual(['chat.v1', 'bearer', 'ticket', 'last']);
});

test.each([[['a b']], [['']], [['chat,v1']]])('policy.subprotocols refuses %j', (subprotocols) => {
  expect(() => guardOf({ subprotocols })).toThrow(/policy\.subprotocols.*not a subprotocol name/);
});
