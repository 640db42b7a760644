import { describe, expect, test } from '@jest/globals';
import type { GuardedConnection } from '../../src/connection/guarded-connection.ts';
import { Ticker } from '../../src/guard/ticker.ts';
import { NOWHERE, Roster } from '../../src/vocabulary/roster.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A ticker over connections that remember how much time passed at each tick. */
function bench() {
  const clock = new ManualClock();
  const connections = new Roster<GuardedConnection>();
  const ticker = new Ticker(clock, connections, undefined);
  const open = (onTick: () => void = () => {}) => {
    const ticks: { elapsed: number; late: boolean }[] = [];
    const connection = {
      place: NOWHERE,
      tick(_now: number, _monotonic: number, passed: { elapsed: number; late: boolean }) {
        ticks.push(passed);
        onTick();
      },
    } as unknown as GuardedConnection;
    connections.add(connection);
    if (connections.size === 1) ticker.start();
    return { connection, ticks };
  };
  const close = (connection: GuardedConnection) => {
    connections.delete(connection);
    if (connections.size === 0) ticker.stop();
  };
  return { clock, ticker, open, close };
}

describe('Ticker', () => {
  test('the ticker calls every connection once a second', () => {
    const { clock, open } = bench();
    const first = open();
    clock.advance(1_000);
    const second = open();
    clock.advance(2_000);
    expect([first.ticks.length, second.ticks.length]).toEqual([3, 2]);
    expect(first.ticks[0]).toEqual({ elapsed: 1_000, late: false });
  });

  test('the ticker marks a tick as late after more than two seconds', () => {
    const { clock, open } = bench();
    const { ticks } = open();
    clock.stall(2_001);
    expect(ticks).toEqual([{ elapsed: 2_001, late: true }]);
  });

  test('the ticker has no timer without connections', () => {
    const { clock, open, close } = bench();
    const { connection, ticks } = open();
    expect(clock.pending).toBe(1);
    close(connection);
    expect(clock.pending).toBe(0);
    clock.advance(5_000);
    expect(ticks).toEqual([]);
  });

  test('the ticker does not count the time without connections', () => {
    const { clock, open, close } = bench();
    close(open().connection);
    clock.advance(60_000);
    const { ticks } = open();
    clock.advance(1_000);
    expect(ticks).toEqual([{ elapsed: 1_000, late: false }]);
  });

  test('the ticker keeps one timer when the last connection closes and another opens within a tick', () => {
    const { clock, open, close } = bench();
    let renew = (): void => {};
    const first = open(() => renew());
    let second: ReturnType<typeof open> | undefined;
    renew = () => {
      close(first.connection);
      second = open();
    };
    clock.advance(1_000);
    expect(clock.pending).toBe(1);
    clock.advance(1_000);
    expect(second?.ticks).toEqual([{ elapsed: 1_000, late: false }]);
  });
});
