import { describe, expect, test } from '@jest/globals';
import { Drain } from '../../src/connection/drain.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Somebody who is asked to go, and goes when the test says so. */
class Guest {
  readonly calls: string[] = [];

  retire(): void {
    this.calls.push('retire');
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

function premises(count: number) {
  const clock = new ManualClock();
  const guests = Array.from({ length: count }, () => new Guest());
  const rooms = {
    connections: new Set(guests),
    lingering: new Set<Guest>(),
    admissions: new Set<Guest>(),
  };
  const drain = new Drain(rooms, clock);
  const leave = (guest: Guest) => {
    rooms.connections.delete(guest);
    drain.left(guest);
  };
  const asked = () => guests.filter(({ calls }) => calls.includes('retire')).length;
  let over = false;
  void drain.ended.then(() => {
    over = true;
  });
  const isOver = async () => {
    await Promise.resolve();
    return over;
  };
  return { clock, guests, rooms, drain, leave, asked, isOver };
}

describe('the pace of a drain', () => {
  test('ten thousand connections are closed at an even pace within four fifths of the time', () => {
    const { clock, drain, asked } = premises(10_000);
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
    const few = premises(10);
    few.drain.finishWithin(5_000);
    expect(few.asked()).toBe(10);
    const more = premises(35);
    more.drain.finishWithin(60_000);
    expect(more.asked()).toBe(10);
    more.clock.advance(100);
    expect(more.asked()).toBe(20);
    more.clock.advance(200);
    expect(more.asked()).toBe(35);
  });

  test('a drain has two timers at most, and only the deadline once every connection was asked to close', () => {
    const { clock, drain } = premises(2_000);
    drain.finishWithin(1_000);
    expect(clock.pending).toBe(2);
    clock.advance(500);
    expect(clock.pending).toBe(2);
    clock.advance(300);
    expect(clock.pending).toBe(1);
  });

  test('the pace adapts when many connections leave by themselves, or a step comes late', () => {
    const { clock, drain, guests, leave, asked } = premises(1_000);
    drain.finishWithin(5_000);
    expect(asked()).toBe(25);
    // Of 975 half go.
    for (const guest of guests.slice(500, 975)) leave(guest);
    clock.advance(100);
    expect(asked()).toBe(25 + 13);
    clock.stall(2_000);
    // 487 wait, and 19 to 20 steps are left.
    expect(asked()).toBe(38 + 25);
    clock.advance(2_000);
    expect(guests.filter(({ calls }) => calls.length === 0)).toEqual(guests.slice(500, 975));
  });

  test('a step after four fifths of the time closes all remaining connections', () => {
    const { clock, drain, asked } = premises(1_000);
    drain.finishWithin(5_000);
    clock.stall(4_500);
    expect(asked()).toBe(1_000);
  });
});

describe('the end of a drain', () => {
  test('a drain ends when the last connection has closed, and leaves no timer', async () => {
    const { clock, drain, guests, leave, isOver } = premises(30);
    drain.finishWithin(5_000);
    for (const guest of guests.slice(0, 29)) leave(guest);
    expect(await isOver()).toBe(false);
    leave(guests[29] as Guest);
    expect([await isOver(), clock.pending]).toEqual([true, 0]);
  });

  test('a drain without connections ends at once', async () => {
    const { clock, drain, isOver } = premises(0);
    expect(await isOver()).toBe(false);
    drain.finishWithin(5_000);
    expect([await isOver(), clock.pending]).toEqual([true, 0]);
  });

  test('a drain waits for rejected sockets that are closing, and for admissions', async () => {
    const { drain, rooms, isOver } = premises(0);
    const [socket, admission] = [new Guest(), new Guest()];
    rooms.lingering.add(socket);
    rooms.admissions.add(admission);
    drain.finishWithin(5_000);
    rooms.lingering.delete(socket);
    drain.look();
    expect(await isOver()).toBe(false);
    rooms.admissions.delete(admission);
    drain.look();
    expect(await isOver()).toBe(true);
    expect([socket.calls, admission.calls]).toEqual([[], []]);
  });

  test('at the deadline connections are ended and terminated, closing sockets terminated, and admissions withdrawn', () => {
    const { clock, drain, guests, rooms } = premises(1);
    const [socket, admission] = [new Guest(), new Guest()];
    rooms.lingering.add(socket);
    rooms.admissions.add(admission);
    drain.finishWithin(2_000);
    clock.advance(1_999);
    expect([guests[0]?.calls, socket.calls, admission.calls]).toEqual([['retire'], [], []]);
    clock.advance(1);
    expect(guests[0]?.calls).toEqual(['retire', 'end', 'terminate']);
    expect([socket.calls, admission.calls]).toEqual([['terminate'], ['withdraw']]);
    expect(clock.pending).toBe(0);
  });

  test('with a deadline of 0 all sockets are terminated at once', () => {
    const { clock, drain, guests } = premises(1_000);
    drain.finishWithin(0);
    expect(guests.every(({ calls }) => calls.includes('end') && calls.includes('terminate'))).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('a socket that opens during a drain is closed, and terminated after the deadline', () => {
    const { clock, drain } = premises(1);
    const [early, late] = [new Guest(), new Guest()];
    drain.finishWithin(1_000);
    drain.arrived(early);
    clock.advance(1_000);
    drain.arrived(late);
    expect([early.calls, late.calls]).toEqual([['end'], ['end', 'terminate']]);
  });
});

describe('a second deadline of a drain', () => {
  test('an earlier second deadline spreads the remaining connections over the remaining time', () => {
    const { clock, drain, guests, asked } = premises(1_000);
    drain.finishWithin(60_000);
    clock.advance(1_000);
    const before = asked();
    expect(before).toBe(110);
    drain.finishWithin(1_000);
    clock.advance(400);
    expect(asked()).toBeGreaterThan(400);
    expect(asked()).toBeLessThan(700);
    clock.advance(600);
    expect(guests.every(({ calls }) => calls.includes('terminate'))).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('a later second deadline changes nothing', () => {
    const { clock, drain, guests } = premises(1);
    drain.finishWithin(1_000);
    drain.finishWithin(60_000);
    clock.advance(1_000);
    expect(guests[0]?.calls).toEqual(['retire', 'end', 'terminate']);
    expect(clock.pending).toBe(0);
  });
});
