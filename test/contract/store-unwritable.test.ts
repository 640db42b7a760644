import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type RedisStoreOptions, redisStore } from '@sallyport/redis';
import { outcomeOf } from '../../packages/core/test/support/decide.ts';
import { guardOf } from '../../packages/core/test/support/guards.ts';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { upgradeRequest } from '../../packages/core/test/support/upgrade-request.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { RedisServer } from '../support/redis.ts';
import { RECOVERY, TIMEOUT, works } from './stores/failures.ts';
import { libraries } from './stores/index.ts';
import { Ear, StoreNode } from './stores/store.ts';

/** What makes a Redis refuse writes while it answers reads, and how it takes them again. */
interface Refusal {
  readonly error: RegExp;
  readonly begin: (server: RedisServer, other: RedisServer) => Promise<unknown>;
  readonly end: (server: RedisServer) => Promise<unknown>;
}

const refusals: Readonly<Record<string, Refusal>> = {
  'is a replica after a failover': {
    error: /READONLY/,
    async begin(server, other) {
      await other.command('REPLICAOF', '127.0.0.1', `${server.port}`);
      await eventually(
        async () => (await other.command('INFO', 'replication')).includes('master_link_status:up'),
        'the replica',
      );
      await other.command('REPLICAOF', 'NO', 'ONE');
      await server.command('REPLICAOF', '127.0.0.1', `${other.port}`);
      await eventually(
        async () => (await server.command('INFO', 'replication')).includes('master_link_status:up'),
        'the failover',
      );
    },
    end: (server) => server.command('REPLICAOF', 'NO', 'ONE'),
  },
  'lacks replicas': {
    error: /NOREPLICAS/,
    begin: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '1'),
    end: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '0'),
  },
  'is full and evicts nothing': {
    error: /OOM/,
    begin: (server) => server.command('CONFIG', 'SET', 'maxmemory', '1'),
    end: (server) => server.command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  'cannot save its data': {
    error: /MISCONF/,
    async begin(server) {
      await server.command('CONFIG', 'SET', 'save', '3600 1000000');
      rmSync(server.folder, { recursive: true });
      await server.command('BGSAVE');
      await eventually(
        async () => (await server.command('INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
        'the failed snapshot',
      );
    },
    end: (server) => server.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'),
  },
};

for (const [name, connect] of Object.entries(libraries)) {
  describeWith('redis', `${name} on a Redis that can be read and not written`, (program) => {
    let server: RedisServer;
    let other: RedisServer;
    let nodes: StoreNode[] = [];
    beforeEach(async () => {
      const options = ['--repl-diskless-sync-delay', '0', '--maxmemory-policy', 'noeviction'];
      [server, other] = (await Promise.all([
        RedisServer.start(program, options),
        RedisServer.start(program, options),
      ])) as [RedisServer, RedisServer];
    });
    afterEach(async () => {
      for (const one of nodes) one.close();
      nodes = [];
      await Promise.all([server.close(), other.close()]);
    });

    const node = async (options: RedisStoreOptions = {}): Promise<StoreNode> => {
      const { client, disconnect } = await connect.single([server]);
      const made = new StoreNode(redisStore(client, { timeout: TIMEOUT, ...options }), disconnect);
      nodes.push(made);
      return made;
    };

    describe.each(Object.entries(refusals))('a Redis that %s', (_, { error, begin, end }) => {
      test('a look at it fails, and revocations are still read and told to the nodes that listen', async () => {
        const [first, second] = await Promise.all([node({ leaseTtl: 900 }), node({ leaseTtl: 900 })]);
        const ear = new Ear();
        first.listen(new Ear());
        second.listen(ear);
        await works(first.store);
        await eventually(() => ear.heard.length > 0 && second.store.staleness() < 900, 'the first reading');
        await begin(server, other);
        await expect(Promise.resolve(first.store.ping())).rejects.toThrow(error);
        const since = performance.now();
        const revocation = { subject: 'meanwhile', issuedBefore: 2 };
        await eventually(
          () =>
            Promise.resolve(first.store.revoke(revocation)).then(
              () => true,
              (reason) => error.test(String(reason)),
            ),
          'the refusal of a revocation',
        );
        await eventually(() => ear.heard.includes('revoked meanwhile'), 'the news of it');
        await eventually(() => second.store.staleness() < performance.now() - since, 'a reading since then');
        await end(server);
        await works(first.store);
      }, 60_000);

      test('the guard fails over once, keeps admitting, and finds the store back when it takes writes', async () => {
        const clock = new ManualClock();
        const { store } = await node({ leaseTtl: 900 });
        let looks = 0;
        const counted = new Proxy(store, {
          get(target, property) {
            const value = Reflect.get(target, property);
            if (typeof value !== 'function') return value;
            if (property !== 'ping') return value.bind(target);
            return async () => {
              try {
                await target.ping();
              } finally {
                looks++;
              }
            };
          },
        });
        const guard = guardOf({
          clock,
          store: counted,
          limits: { revocationStaleness: '5s', handshakes: { rate: '1000/s', burst: 1_000 } },
        });
        const told: string[] = [];
        guard.on('store.failing', () => told.push('failing'));
        guard.on('store.recovered', () => told.push('recovered'));
        const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
        try {
          await eventually(
            async () => (await outcomeOf(guard, request)) === 'admitted',
            'the first handshake',
          );
          await begin(server, other);
          await eventually(async () => {
            expect(await outcomeOf(guard, request)).toBe('admitted');
            return told.length > 0;
          }, 'the failover');
          for (let i = 1; i <= 5; i++) {
            clock.advance(1_000);
            await eventually(() => looks === i, 'a look');
            await new Promise((resolve) => setImmediate(resolve));
            expect([told, await outcomeOf(guard, request)]).toEqual([['failing'], 'admitted']);
          }
          await end(server);
          await eventually(
            () => {
              clock.advance(1_000);
              return told.length > 1;
            },
            'the recovery',
            RECOVERY,
          );
          expect(told).toEqual(['failing', 'recovered']);
          expect(await outcomeOf(guard, request)).toBe('admitted');
        } finally {
          await guard.close();
        }
      }, 60_000);
    });
  });
}
