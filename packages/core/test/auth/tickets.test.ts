import { describe, expect, test } from '@jest/globals';
import { bearer, query, type TicketRequest, tickets } from '@sallyport/core';
import type { TicketStore } from '../../src/auth/authenticator.ts';
import { TicketIssuer, ticketTtl } from '../../src/auth/tickets.ts';
import { memoryStore } from '../../src/limits/memory-store.ts';
import { UNAVAILABLE } from '../../src/limits/precheck.ts';
import { Denial } from '../../src/vocabulary/decision.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';

const APP = 'https://app.example.com';
const REQUEST: TicketRequest = { subject: 'alice', origin: APP, route: '/chat' };

function bench(
  options?: Parameters<typeof tickets>[0],
  wrap: (store: TicketStore) => TicketStore = (store) => store,
) {
  const clock = new ManualClock();
  const memory = memoryStore({ clock });
  const store = wrap({
    put: async (...all) => memory.put(...all),
    redeem: (key) => memory.redeem(key),
  });
  const authenticator = tickets(options);
  const office = new TicketIssuer(store, clock, ticketTtl([authenticator]) as number);
  const redeem = async (ticket: string, origin: string | undefined = APP, path = '/chat') => {
    const request = { origin, path } as never;
    const signal = new AbortController().signal;
    const verdict = await authenticator.authenticate({ credential: ticket, request, clock, store, signal });
    return verdict instanceof Denial ? verdict.reason : verdict?.subject;
  };
  return { clock, store, office, redeem, authenticator };
}

test('a ticket gives the frozen identity that it was issued for', async () => {
  const { office, authenticator, clock, store } = bench();
  const ticket = await office.issue({
    ...REQUEST,
    session: 's1',
    claims: { roles: ['admin'] },
    expiresAt: clock.now() / 1_000 + 600,
  });
  const identity = await authenticator.authenticate({
    credential: ticket,
    request: { origin: APP, path: '/chat' },
    clock,
    store,
  } as never);
  expect(identity).toEqual({
    scheme: 'ticket',
    subject: 'alice',
    session: 's1',
    issuedAt: clock.now() / 1_000,
    expiresAt: clock.now() / 1_000 + 600,
    claims: { roles: ['admin'] },
  });
  expect(() => (identity as unknown as { claims: { roles: string[] } }).claims.roles.push('root')).toThrow(
    TypeError,
  );
});

test("a ticket's issuedAt is that of the login, or now", async () => {
  const { office, authenticator, clock, store } = bench();
  const ticket = await office.issue({ ...REQUEST, issuedAt: clock.now() / 1_000 - 3_600.5 });
  const request = { origin: APP, path: '/chat' };
  const identity = await authenticator.authenticate({ credential: ticket, request, clock, store } as never);
  expect(identity).toMatchObject({ issuedAt: clock.now() / 1_000 - 3_601 });
});

test('of a thousand simultaneous uses of one ticket, exactly one succeeds', async () => {
  const { office, redeem } = bench({}, (store) => ({ ...store, redeem: async (key) => store.redeem(key) }));
  const ticket = await office.issue(REQUEST);
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => redeem(ticket)));
  expect(answers.filter((answer) => answer === 'alice')).toHaveLength(1);
  expect(answers.filter((answer) => answer === 'credential_invalid')).toHaveLength(999);
});

describe('presented elsewhere', () => {
  test.each<[string, Partial<TicketRequest>, string | undefined, string, string]>([
    ['by another page', {}, 'https://evil.example', '/chat', 'credential_invalid'],
    ['by a page of another port', {}, `${APP}:8443`, '/chat', 'credential_invalid'],
    ['by no page', {}, '', '/chat', 'credential_invalid'],
    ['at another route', {}, APP, '/admin', 'credential_invalid'],
    ['below its route', {}, APP, '/chat/', 'credential_invalid'],
    ['by another page, with origin any', { origin: 'any' }, 'https://other.example', '/chat', 'alice'],
    ['by no page, with origin any', { origin: 'any' }, '', '/chat', 'alice'],
    ['at another route, with route any', { route: 'any' }, APP, '/admin', 'alice'],
    ['by another page, with route any', { route: 'any' }, 'https://x.example', '/chat', 'credential_invalid'],
  ])(
    'a ticket presented %s is accepted or denied, and used up',
    async (_what, more, origin, path, expected) => {
      const { office, redeem } = bench();
      const ticket = await office.issue({ ...REQUEST, ...more });
      expect(await redeem(ticket, origin, path)).toBe(expected);
      // The ticket is used up in any case.
      expect(await redeem(ticket)).toBe('credential_invalid');
    },
  );
});

describe('while the store is away', () => {
  test('redeeming a ticket denies with store_unavailable if the store does not answer', async () => {
    const { redeem } = bench({}, (store) => ({ ...store, redeem: () => UNAVAILABLE }));
    expect(await redeem('a ticket')).toBe('store_unavailable');
    const later = bench({}, (store) => ({
      ...store,
      redeem: () => Promise.resolve<typeof UNAVAILABLE>(UNAVAILABLE),
    }));
    expect(await later.redeem('a ticket')).toBe('store_unavailable');
  });

  test('issuing a ticket rejects if the store does not answer', async () => {
    const { office } = bench({}, (store) => ({ ...store, put: () => Promise.reject(new Error('away')) }));
    await expect(office.issue(REQUEST)).rejects.toThrow('away');
  });
});

describe('in time', () => {
  test.each([
    [undefined, 29_999, 'alice'],
    [undefined, 30_000, 'credential_invalid'],
    ['5s', 4_999, 'alice'],
    ['5s', 5_000, 'credential_invalid'],
  ] as const)('a ticket with ttl %s, presented after %d ms: %s', async (ttl, wait, expected) => {
    const { clock, office, redeem } = bench();
    const ticket = await office.issue({ ...REQUEST, ...(ttl && { ttl }) });
    clock.advance(wait);
    expect(await redeem(ticket)).toBe(expected);
  });

  test("a ticket expires by the guard's clock even if the store still has it", async () => {
    const { clock, office, redeem } = bench({}, (store) => {
      const kept = new Map<string, string>();
      return {
        ...store,
        put: async (key, value) => void kept.set(key, value),
        redeem: (key) => kept.get(key),
      };
    });
    const ticket = await office.issue(REQUEST);
    clock.advance(30_000);
    expect(await redeem(ticket)).toBe('credential_invalid');
  });

  test('a ticket whose expiresAt has passed denies with credential_expired', async () => {
    const { clock, office, redeem } = bench();
    const ticket = await office.issue({ ...REQUEST, expiresAt: clock.now() / 1_000 + 10 });
    clock.advance(10_000);
    expect(await redeem(ticket)).toBe('credential_expired');
  });
});

test('a ticket is 256 random bits, and the store holds only its hash', async () => {
  const kept: string[] = [];
  const { office } = bench({}, (store) => ({
    ...store,
    put(key, value, ttl) {
      kept.push(key, value);
      return store.put(key, value, ttl);
    },
  }));
  const made = await Promise.all(Array.from({ length: 50 }, () => office.issue(REQUEST)));
  expect(new Set(made).size).toBe(50);
  for (const ticket of made) {
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect(kept.join()).not.toContain(ticket);
  }
});

describe('refused at once', () => {
  test.each<[string, object]>([
    ['no subject', { subject: '' }],
    ['no origin', { origin: undefined }],
    ['an origin with a path', { origin: `${APP}/` }],
    ['an origin that is a pattern', { origin: 'https://*.example.com/' }],
    ['the origin null', { origin: 'null' }],
    ['no route', { route: undefined }],
    ['a route that is no path', { route: 'chat' }],
    ['a ttl above that of the policy', { ttl: '31s' }],
    ['an expiresAt that is no number', { expiresAt: Number.NaN }],
    ['an issuedAt that is no number', { issuedAt: Number.NaN }],
    ['an issuedAt in the future', { issuedAt: new ManualClock().now() / 1_000 + 1 }],
  ])('tickets.issue() with %s rejects', async (_what, wrong) => {
    const { office } = bench();
    await expect(office.issue({ ...REQUEST, ...wrong } as never)).rejects.toThrow(/tickets\.issue/);
  });

  test.each<[object, RegExp]>([
    [{ ttl: '31s' }, /a password in a URL/],
    [{ from: [] }, /no place to look/],
    [{ form: [query('t')] }, /^tickets\(\{ form \}\): unknown option\. Did you mean 'from'\?/],
  ])('tickets(%j) throws a PolicyError', (options, message) => {
    expect(() => tickets(options as never)).toThrow(message);
  });

  test('a ttl above that of tickets() is refused', async () => {
    const { office } = bench({ ttl: '10s', from: [bearer()] });
    await expect(office.issue({ ...REQUEST, ttl: '11s' })).rejects.toThrow(/ttl/);
  });

  test('guard.tickets throws if the policy has no tickets()', () => {
    expect(() => guardOf({}).tickets).toThrow(/nothing would redeem/);
  });
});
