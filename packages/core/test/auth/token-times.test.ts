import { describe, expect, test } from '@jest/globals';
import { checkTimes } from '../../src/auth/token-times.ts';
import type { Identity } from '../../src/vocabulary/ports.ts';

const judge = (claims: object, times: { tolerance?: number; maxAge?: number }, seconds: number) => {
  const identity = { scheme: 'jwt', subject: 'alice', claims } as unknown as Identity;
  const { tolerance = 0, maxAge } = times;
  return checkTimes(identity, { tolerance, maxAge }, seconds * 1_000)?.reason ?? 'good';
};

describe('exp is exclusive, nbf inclusive, both in whole seconds', () => {
  test.each([
    [{ exp: 100 }, {}, 99.999, 'good'],
    [{ exp: 100 }, {}, 100, 'credential_expired'],
    [{ exp: 100 }, { tolerance: 5 }, 104.999, 'good'],
    [{ exp: 100 }, { tolerance: 5 }, 105, 'credential_expired'],
    [{ exp: 100, nbf: 50 }, {}, 49.999, 'credential_invalid'],
    [{ exp: 100, nbf: 50 }, {}, 50, 'good'],
    [{ exp: 100, nbf: 50 }, { tolerance: 5 }, 45, 'good'],
    [{ exp: 100, iat: 40 }, { maxAge: 10 }, 50.999, 'good'],
    [{ exp: 100, iat: 40 }, { maxAge: 10 }, 51, 'credential_expired'],
    [{ exp: 100, iat: 40 }, { maxAge: 10, tolerance: 5 }, 55, 'good'],
    [{ exp: 100, iat: 40 }, { maxAge: 10, tolerance: 5 }, 56, 'credential_expired'],
    [{ exp: 100, iat: 40 }, { maxAge: 10 }, 39, 'credential_invalid'],
    [{ exp: 100, iat: 40 }, {}, 39.001, 'good'],
    [{ exp: 100, iat: 40 }, {}, 39, 'credential_invalid'],
    [{ exp: 100, iat: 40 }, { tolerance: 10 }, 30, 'good'],
    [{ exp: 100, iat: 40 }, { tolerance: 10 }, 29, 'credential_invalid'],
  ])('claims %j with options %j at second %d: %s', (claims, times, seconds, expected) => {
    expect(judge(claims, times, seconds)).toBe(expected);
  });
});
