// A program: many clients that each keep a connection, answer pings and send no messages.
import { connect, type Socket } from 'node:net';
import { frame, handshakeBytes } from '../support/wire.ts';
import { answers } from './answers.ts';

export type Crowd = typeof questions;

const PING = 0x9;
const PONG = frame('', 0xa);
/** Handshakes at once: fewer than the queue of a listening socket holds. */
const LANES = 50;

/** One client. It keeps only what the tests count. */
class Member {
  /** Whether it was pinged, its close code, and when it was closed. */
  pinged = false;
  code = 0;
  closedAt = 0;

  constructor(readonly socket: Socket) {}

  /** Reads the frames of a server that sends only small ones, each in one piece. */
  hear(bytes: Buffer): void {
    for (let at = 0; at + 1 < bytes.length; at += 2 + (bytes[at + 1] as number)) {
      const opcode = (bytes[at] as number) & 0xf;
      if (opcode === PING) {
        this.pinged = true;
        this.socket.write(PONG);
      } else if (opcode === 0x8) {
        this.code = bytes.readUInt16BE(at + 2);
        this.closedAt = performance.now();
        this.socket.write(frame(bytes.subarray(at + 2, at + 4), 0x8));
      }
    }
  }
}

const members: Member[] = [];

function enter(port: number, handshake: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', reject).write(handshake);
    socket.once('data', (answer: Buffer) => {
      if (!answer.includes(' 101 ')) return reject(new Error(answer.toString('latin1')));
      const member = new Member(socket);
      members.push(member);
      socket.on('data', (bytes: Buffer) => member.hear(bytes));
      resolve();
    });
  });
}

const questions = {
  /** Opens `count` connections. */
  enter: async (port: number, headers: Record<string, string>, count: number): Promise<void> => {
    const handshake = handshakeBytes({ headers });
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await enter(port, handshake);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  },
  pinged: (): number => members.filter(({ pinged }) => pinged).length,
  /** How many connections were closed with each code, and in how many milliseconds the first half of them. */
  closed: () => {
    const codes: Record<string, number> = {};
    for (const { code } of members) codes[code] = (codes[code] ?? 0) + 1;
    const times = members.map(({ closedAt }) => closedAt).sort((a, b) => a - b);
    const half = (times[Math.floor(times.length / 2)] ?? 0) - (times[0] ?? 0);
    return { codes, half, ended: members.filter(({ socket }) => socket.destroyed).length };
  },
};
answers(questions);
