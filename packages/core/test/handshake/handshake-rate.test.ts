import { expect, test } from '@jest/globals';
import { decide, outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const from = (address: string) =>
  upgradeRequest({ peer: { address, encrypted: true }, headers: { Origin: 'https://localhost:3000' } });

test('handshakes above the rate of one address or one IPv6 /64 are denied until time has passed', async () => {
  const clock = new ManualClock();
  const guard = guardOf({ clock, limits: { handshakes: { rate: '1/s', burst: 2 } } });
  expect(await outcomeOf(guard, from('2001:db8::1'))).toBe('admitted');
  expect(await outcomeOf(guard, from('2001:db8::2'))).toBe('admitted');
  expect(await decide(guard, from('2001:db8::3'))).toMatchObject({
    reason: 'handshake_rate',
    retryAfter: 1_000,
  });
  expect(await outcomeOf(guard, from('2001:db8:0:1::3'))).toBe('admitted');
  expect(await outcomeOf(guard, from('203.0.113.1'))).toBe('admitted');
  clock.advance(1_000);
  expect(await outcomeOf(guard, from('2001:db8::3'))).toBe('admitted');
});

test("a handshake from a denied origin spends one hit of the visitor's rate, like an ordinary visit", async () => {
  const guard = guardOf({ limits: { handshakes: { rate: '1/s', burst: 3 } } });
  const foreign = upgradeRequest({ headers: { Origin: 'https://evil.example' } });
  for (let i = 0; i < 3; i++) expect(await outcomeOf(guard, foreign)).toBe('origin_denied');
  expect(await outcomeOf(guard, foreign)).toBe('handshake_rate');
});

test('a malformed request and one for another host spend nothing of the rate', async () => {
  const guard = guardOf({ limits: { handshakes: { rate: '1/s', burst: 1 } } });
  for (let i = 0; i < 5; i++) {
    expect(await outcomeOf(guard, upgradeRequest({ method: 'POST' }))).toBe('request_malformed');
    expect(
      await outcomeOf(
        guard,
        upgradeRequest({ peer: { encrypted: true }, headers: { Host: 'evil.example' } }),
      ),
    ).toBe('host_denied');
  }
  expect(await outcomeOf(guard, upgradeRequest({ headers: { Origin: 'http://localhost:3000' } }))).toBe(
    'admitted',
  );
});
