import { describe, expect, test } from '@jest/globals';
import type { GuardedConnection } from '../../src/connection/guarded-connection.ts';
import { Registry } from '../../src/guard/registry.ts';
import { NOWHERE } from '../../src/vocabulary/roster.ts';

/** A registry with connections that remember what was done to them; each leaves as soon as it is told to. */
function bench(...subjects: string[]) {
  const registry = new Registry();
  const done: string[] = [];
  const connections = subjects.map((subject, i) => {
    const connection = {
      place: NOWHERE,
      state: 'open',
      identity: { subject },
      end(reason: string) {
        done.push(`${subject}${i} ${reason}`);
        registry.connections.delete(connection);
      },
      replace() {
        done.push(`${subject}${i} replaced`);
        connection.state = 'closing';
      },
    } as unknown as GuardedConnection & { state: string };
    registry.connections.add(connection);
    return connection;
  });
  return { registry, connections, done };
}

describe('endConnections', () => {
  test('endConnections ends the chosen connections, although they leave the registry meanwhile', () => {
    const { registry, done } = bench('alice', 'bob', 'alice');
    registry.endConnections('revoked', ({ identity }) => identity.subject === 'alice');
    expect(done).toEqual(['alice0 revoked', 'alice2 revoked']);
    expect(registry.connections.size).toBe(1);
  });
});

describe('replaceOldest', () => {
  test('replaceOldest closes the oldest open connection of the subject', () => {
    const { registry, done } = bench('bob', 'alice', 'alice');
    expect(registry.replaceOldest('alice')).toBe(true);
    expect(done).toEqual(['alice1 replaced']);
  });

  test('replaceOldest skips a connection that is closing already', () => {
    const { registry, done } = bench('alice', 'alice');
    registry.replaceOldest('alice');
    registry.replaceOldest('alice');
    expect(done).toEqual(['alice0 replaced', 'alice1 replaced']);
    expect(registry.replaceOldest('alice')).toBe(false);
  });

  test('replaceOldest returns false if the subject has no connection', () => {
    expect(bench('bob').registry.replaceOldest('alice')).toBe(false);
  });
});
