import { describe, expect, test } from '@jest/globals';
import { Drain } from '../../src/connection/drain.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A socket or an admission that is asked to go, and goes when the test says so. */
class Member {
  readonly calls: string[] = [];

  retire(): void {
    this.calls.push('retire');
  }

  dismiss(): void {
    this.calls.push('dismiss');
  }

  end(): void {
    this.calls.push('end');
  }

  terminate(): void {
    this.calls.push('terminate');
  }

  withdraw(): void {
    this.calls.push('withdraw');
  }
}

/** A drain of so many connections; `busy`: of a rejected socket that is closing and an admission as well. */
function drainOf(count: number, busy = false) {
  const clock = new ManualClock();
  const members = Array.from({ length: count }, () => new Member());
  const [socket, admission] = [new Member(), new Member()];
  const others = { sockets: busy ? [socket] : [], admissions: busy ? [admission] : [] };
  const drain = new Drain({ connections: members, ...others }, clock);
  const leave = (member: Member) => drain.left(member);
  const asked = () => members.filter(({ calls }) => calls.includes('retire')).length;
  let over = false;
  void drain.ended.then(() => {
    over = true;
  });
  const isOver = async () => {
    await Promise.resolve();
    return over;
  };
  return { clock, members, socket, admission, drain, leave, asked, isOver };
}

describe('the pace of a drain', () => {
  test('ten thousand connections are closed at an even pace within four fifths of the time', () => {
    const { clock, drain, asked } = drainOf(10_000);
    drain.finishWithin(5_000);
    let before = 0;
    for (let step = 0; step <= 40; step++) {
      if (step > 0) clock.advance(100);
      expect(asked() - before).toBeLessThanOrEqual(244);
      // At every step the share is nearly even.
      expect(Math.abs(asked() - ((step + 1) / 41) * 10_000)).toBeLessThan(245);
      before = asked();
    }
    expect(asked()).toBe(10_000);
  });

  test('up to ten connections are closed in one step, and some more at ten per step', () => {
    const few = drainOf(10);
    few.drain.finishWithin(5_000);
    expect(few.asked()).toBe(10);
    const more = drainOf(35);
    more.drain.finishWithin(60_000);
    expect(more.asked()).toBe(10);
    more.clock.advance(100);
    expect(more.asked()).toBe(20);
    more.clock.advance(200);
    expect(more.asked()).toBe(35);
  });

  test('a drain has two timers at most, and only the deadline after the last call', () => {
    const { clock, drain } = drainOf(2_000);
    drain.finishWithin(1_000);
    expect(clock.pending).toBe(2);
    clock.advance(500);
    expect(clock.pending).toBe(2);
    clock.advance(399);
    expect(clock.pending).toBe(2);
    clock.advance(1);
    expect(clock.pending).toBe(1);
  });

  test('the pace adapts when many connections leave by themselves, or a step comes late', () => {
    const { clock, drain, members, leave, asked } = drainOf(1_000);
    drain.finishWithin(5_000);
    expect(asked()).toBe(25);
    // Of 975 half go.
    for (const member of members.slice(500, 975)) leave(member);
    clock.advance(100);
    expect(asked()).toBe(25 + 13);
    clock.stall(2_000);
    // 487 wait, and 19 to 20 steps are left.
    expect(asked()).toBe(38 + 25);
    clock.advance(2_000);
    expect(members.filter(({ calls }) => calls.length === 0)).toEqual(members.slice(500, 975));
  });

  test('a step after four fifths of the time closes all remaining connections', () => {
    const { clock, drain, asked } = drainOf(1_000);
    drain.finishWithin(5_000);
    clock.stall(4_500);
    expect(asked()).toBe(1_000);
  });
});

describe('the last call of a drain', () => {
  test('after nine tenths of the time the remaining connections refuse what waits', () => {
    const { clock, drain, members, leave } = drainOf(2);
    drain.finishWithin(2_000);
    leave(members[1] as Member);
    clock.advance(1_799);
    expect(members[0]?.calls).toEqual(['retire']);
    clock.advance(1);
    expect(members.map(({ calls }) => calls)).toEqual([['retire', 'dismiss'], ['retire']]);
  });

  test('an earlier second deadline brings the last call forward', () => {
    const { clock, drain, members } = drainOf(1);
    drain.finishWithin(60_000);
    clock.advance(1_000);
    drain.finishWithin(1_000);
    clock.advance(899);
    expect(members[0]?.calls).toEqual(['retire']);
    clock.advance(1);
    expect(members[0]?.calls).toEqual(['retire', 'dismiss']);
  });
});

describe('the end of a drain', () => {
  test('a drain ends when the last connection has closed, and leaves no timer', async () => {
    const { clock, drain, members, leave, isOver } = drainOf(30);
    drain.finishWithin(5_000);
    for (const member of members.slice(0, 29)) leave(member);
    expect(await isOver()).toBe(false);
    leave(members[29] as Member);
    expect([await isOver(), clock.pending]).toEqual([true, 0]);
  });

  test('a drain without connections ends at once', async () => {
    const { clock, drain, isOver } = drainOf(0);
    expect(await isOver()).toBe(false);
    drain.finishWithin(5_000);
    expect([await isOver(), clock.pending]).toEqual([true, 0]);
  });

  test('a drain waits for rejected sockets that are closing, and for admissions', async () => {
    const { drain, socket, admission, isOver } = drainOf(0, true);
    drain.finishWithin(5_000);
    drain.left(socket);
    expect(await isOver()).toBe(false);
    drain.settled(admission);
    expect(await isOver()).toBe(true);
    expect([socket.calls, admission.calls]).toEqual([[], []]);
  });

  test('at the deadline sockets are ended and terminated, and admissions withdrawn', () => {
    const { clock, drain, members, socket, admission } = drainOf(1, true);
    drain.finishWithin(2_000);
    clock.advance(1_999);
    expect([members[0]?.calls, socket.calls, admission.calls]).toEqual([['retire', 'dismiss'], [], []]);
    clock.advance(1);
    expect(members[0]?.calls).toEqual(['retire', 'dismiss', 'dismiss', 'end', 'terminate']);
    expect([socket.calls, admission.calls]).toEqual([['end', 'terminate'], ['withdraw']]);
    expect(clock.pending).toBe(0);
  });

  test('with a deadline of 0 all sockets are terminated at once', () => {
    const { clock, drain, members } = drainOf(1_000);
    drain.finishWithin(0);
    const last = members.map(({ calls }) => calls.slice(-3).join());
    expect(new Set(last)).toEqual(new Set(['dismiss,end,terminate']));
    expect(clock.pending).toBe(0);
  });

  test('a socket that opens during a drain is closed, and terminated after the deadline', () => {
    const { clock, drain } = drainOf(1);
    const [early, late] = [new Member(), new Member()];
    drain.finishWithin(1_000);
    drain.arrived(early);
    clock.advance(1_000);
    drain.arrived(late);
    expect([early.calls, late.calls]).toEqual([
      ['end', 'end', 'terminate'],
      ['end', 'terminate'],
    ]);
  });
});

describe('a second deadline of a drain', () => {
  test('an earlier second deadline spreads the remaining connections over the remaining time', () => {
    const { clock, drain, members, asked } = drainOf(1_000);
    drain.finishWithin(60_000);
    clock.advance(1_000);
    const before = asked();
    expect(before).toBe(110);
    drain.finishWithin(1_000);
    clock.advance(400);
    expect(asked()).toBeGreaterThan(400);
    expect(asked()).toBeLessThan(700);
    clock.advance(600);
    expect(members.every(({ calls }) => calls.includes('terminate'))).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('a later second deadline changes nothing', () => {
    const { clock, drain, members } = drainOf(1);
    drain.finishWithin(1_000);
    drain.finishWithin(60_000);
    clock.advance(1_000);
    expect(members[0]?.calls).toEqual(['retire', 'dismiss', 'dismiss', 'end', 'terminate']);
    expect(clock.pending).toBe(0);
  });
});
