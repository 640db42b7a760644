import { describe, expect, test } from '@jest/globals';
import type { GuardedConnection } from '../../src/connection/guarded-connection.ts';
import { Registry } from '../../src/guard/registry.ts';
import { NOWHERE } from '../../src/vocabulary/roster.ts';

/** A registry with connections that remember what was done to them; each leaves as soon as it is told to. */
function bench(...subjects: string[]) {
  const registry = new Registry();
  const done: string[] = [];
  for (const [i, subject] of subjects.entries()) {
    const connection = {
      place: NOWHERE,
      identity: { subject },
      end(reason: string) {
        done.push(`${subject}${i} ${reason}`);
        registry.connections.delete(connection);
      },
    } as unknown as GuardedConnection;
    registry.connections.add(connection);
  }
  return { registry, done };
}

describe('endConnections', () => {
  test('endConnections ends the chosen connections, although they leave the registry meanwhile', () => {
    const { registry, done } = bench('alice', 'bob', 'alice');
    registry.endConnections('revoked', ({ identity }) => identity.subject === 'alice');
    expect(done).toEqual(['alice0 revoked', 'alice2 revoked']);
    expect(registry.connections.size).toBe(1);
  });
});
