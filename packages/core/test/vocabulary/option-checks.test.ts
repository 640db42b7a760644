import { describe, expect, test } from '@jest/globals';
import { optionPath, refuseUnknown } from '../../src/vocabulary/option-checks.ts';
import { PolicyError } from '../../src/vocabulary/policy-error.ts';

describe('refuseUnknown', () => {
  const refuse = (options: object, elsewhere?: readonly string[]) => () =>
    refuseUnknown(options, ['from', 'ttl'], 'tickets()', elsewhere);

  test('refuseUnknown accepts known options and no options', () => {
    expect(refuse({ from: 1, ttl: 2 })).not.toThrow();
    expect(refuse({})).not.toThrow();
  });

  test.each<[object, string]>([
    [{ form: 1 }, "tickets({ form }): unknown option. Did you mean 'from'?"],
    [{ TTL: 1 }, "tickets({ TTL }): unknown option. Did you mean 'ttl'?"],
    [{ lifetime: 1 }, 'tickets({ lifetime }): unknown option. The options are from, ttl.'],
  ])('options %j throw a PolicyError', (options, message) => {
    expect(refuse(options)).toThrow(PolicyError);
    expect(refuse(options)).toThrow(message);
  });

  test("an unknown option that is near another object's option is told that option's path", () => {
    const elsewhere = ['limits.heartbeat', 'limits.form'];
    expect(refuse({ hartbeat: 1 }, elsewhere)).toThrow("Did you mean 'limits.heartbeat'?");
    expect(refuse({ form: 1 }, elsewhere)).toThrow("Did you mean 'from'?");
    expect(refuse({ other: 1 }, elsewhere)).toThrow('The options are from, ttl.');
  });

  test("refuseUnknown refuses another object's option and its path", () => {
    expect(refuse({ heartbeat: 1 }, ['limits.heartbeat'])).toThrow(/unknown option/);
    expect(refuse({ 'limits.heartbeat': 1 }, ['limits.heartbeat'])).toThrow(/unknown option/);
  });
});

test.each([
  ['policy', 'limits', 'policy.limits'],
  ['policy.limits', 'idle', 'policy.limits.idle'],
  ['jwt()', 'from', 'jwt({ from })'],
  ['extend({ limits })', 'idle', 'extend({ limits: { idle } })'],
  ['asyncApi({ servers: { a } })', 'port', 'asyncApi({ servers: { a: { port } } })'],
  ['upgrade(…)', 'otherUpgrades', 'upgrade(…, { otherUpgrades })'],
])('in %s the path of option %s is %s', (where, name, path) => {
  expect(optionPath(where, name)).toBe(path);
});
