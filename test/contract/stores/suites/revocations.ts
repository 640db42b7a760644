import { describe, expect, test } from '@jest/globals';
import type { Revocation, Store } from '@sallyport/core/store';
import { eventually } from '../../../support/eventually.ts';
import { Ear, type Subject } from '../store.ts';

const revoked = (subject: string, issuedBefore = 1_790_000_000): Revocation => ({ subject, issuedBefore });

export function revocationsSuite(subject: () => Subject): void {
  describe('revocations', () => {
    test('revocations reach every listener on every node unchanged', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node()]);
      const ears = [new Ear(), new Ear(), new Ear()];
      const [own, second, other] = ears as [Ear, Ear, Ear];
      here.listen(own);
      here.listen(second);
      there.listen(other);
      // Until a node has read the whole stream, a revocation may reach it twice.
      await eventually(() => [here, there].every(({ store }) => store.staleness() < 10_000), 'certainty');
      const all = [
        revoked('alice'),
        { session: 'session "1"\n', issuedBefore: 1_790_000_001 },
        { tokenId: 'jti', subject: 'béa', issuedBefore: 1_790_000_002 },
      ];
      for (const revocation of all) await here.store.revoke(revocation);
      // The listeners of the revoking node know it as soon as revoke() resolves.
      expect(own.revocations).toEqual(all);
      expect(second.revocations).toEqual(all);
      await eventually(() => other.revocations.length === all.length, 'the revocations');
      // In any order, since revocations that were missed live are read from the stream.
      expect(other.revocations).toEqual(expect.arrayContaining(all));
    });

    test('a revocation reaches a listening node at once, before it reads the stream again', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node()]);
      const ear = new Ear();
      there.listen(ear);
      // Once a revocation is heard, the subscription is active.
      await eventually(async () => {
        await here.store.revoke(revoked('first'));
        return ear.heard.length > 0;
      }, 'the first one');
      for (let i = 0; i < 5; i++) {
        await here.store.revoke(revoked(`next ${i}`));
        // Well before the stream is read again.
        await eventually(() => ear.heard.includes(`revoked next ${i}`), 'the next one', 2_500);
      }
    });

    test('a revocation does not reach a listener that has ended, and reaches the others although one throws', async () => {
      const node = await subject().realm.node();
      const { store } = node;
      const [gone, deaf, good] = [new Ear(), new Ear(), new Ear()];
      deaf.revoked = () => {
        throw new RangeError('full');
      };
      node.listen(gone)();
      node.listen(deaf);
      node.listen(good);
      // The memory store rejects revoke() with the listener's error.
      await (async () => store.revoke(revoked('bob')))().catch(() => {});
      if (subject().capabilities.shared) await eventually(() => good.heard.length > 0, 'the revocation');
      expect(gone.heard).toEqual([]);
    });
  });
}

/** For stores that several nodes share. */
export function sharedRevocationsSuite(subject: () => Subject): void {
  describe('revocations between nodes', () => {
    test('1,201 revocations reach a node that joins after them', async () => {
      const { realm } = subject();
      const [here, late] = await Promise.all([realm.node(), realm.node()]);
      for (let i = 0; i < 1_200; i++) void here.store.revoke(revoked(`user ${i}`));
      await here.store.revoke(revoked('last'));
      const ear = new Ear();
      expect(late.store.staleness()).toBe(Number.POSITIVE_INFINITY);
      late.listen(ear);
      await eventually(() => late.store.staleness() < 10_000, 'the stream to be read');
      expect(new Set(ear.revocations.map((one) => one.subject)).size).toBe(1_201);
      const second = new Ear();
      late.listen(second);
      await eventually(() => second.revocations.length >= 1_201, 'the second listener to be told');
    }, 60_000);

    test('revocations reach a node whose connection was cut five times meanwhile', async () => {
      const { realm } = subject();
      const [here, there] = await Promise.all([realm.node(), realm.node({ leaseTtl: 900 })]);
      const ear = new Ear();
      there.listen(ear);
      await eventually(() => there.store.staleness() < 10_000, 'the stream to be read');
      await here.store.revoke(revoked('before'));
      for (let i = 0; i < 5; i++) {
        await realm.disconnect();
        await eventually(
          () =>
            Promise.resolve(here.store.revoke(revoked(`meanwhile ${i}`))).then(
              () => true,
              () => false,
            ),
          'the store to take it',
        );
      }
      const subjects = () => new Set(ear.revocations.map((one) => one.subject));
      await eventually(() => subjects().size === 6, 'all of them');
      await eventually(() => there.store.staleness() < 1_000, 'certainty');
    }, 60_000);

    test('when the store has forgotten everything, the nodes publish the revocations that they know again, each once', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([1, 2, 3].map(() => realm.node({ leaseTtl: 600 })));
      const [first, second] = nodes.map(({ store }) => store) as [Store, Store];
      const ears = [new Ear(), new Ear()] as const;
      nodes[0]?.listen(ears[0]);
      nodes[1]?.listen(ears[1]);
      for (let i = 0; i < 20; i++) await first.revoke(revoked(`user ${i}`));
      await eventually(() => ears[1].revocations.length === 20, 'the revocations');
      await eventually(() => first.staleness() < 600 && second.staleness() < 600, 'certainty');
      await realm.forget();
      const late = new Ear();
      nodes[2]?.listen(late);
      await eventually(
        () => new Set(late.revocations.map((one) => one.subject)).size === 20,
        'what was forgotten',
      );
      await eventually(() => nodes.every(({ store }) => store.staleness() < 600), 'certainty again');
      const fresh = new Ear();
      const newest = await realm.node();
      newest.listen(fresh);
      await eventually(() => newest.store.staleness() < 10_000, 'the stream to be read');
      // Two nodes published them, and the store keeps each once.
      expect(fresh.revocations).toHaveLength(20);
    }, 60_000);

    test('while the store cannot be reached, staleness() grows and revoke() rejects', async () => {
      const { realm } = subject();
      const node = await realm.node({ leaseTtl: 600 });
      const ear = new Ear();
      node.listen(ear);
      await eventually(() => node.store.staleness() < 600, 'the stream to be read');
      node.crash();
      await realm.pass(700);
      expect(node.store.staleness()).toBeGreaterThan(600);
      await expect(node.store.revoke(revoked('too late'))).rejects.toThrow();
    });
  });
}
