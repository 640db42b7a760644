// The odd handshakes through real sockets, so that what node:http makes of a byte is in the picture.
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { fieldsGuard, type OddHandshake, oddHandshake } from './odd-handshakes.ts';
import { Random } from './random.ts';

/** For each host. */
const RUNS = Math.ceil(Number(process.env.SALLYPORT_FUZZ_RUNS ?? 200_000) / 100);
const SEED = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_300_104);
/** How many handshakes are under way at once. */
const BATCH = 20;
/** These two end a line, so that they cannot be a part of a field. */
const LINE_ENDS = [0x0a, 0x0d];

/** The status of the answer, or `none` if the server ended the connection without one. */
function statusOf(port: number, { target, fields }: OddHandshake): Promise<string> {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1');
    const end = (): void => {
      resolve(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 'none');
      socket.destroy();
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      if (received.length > 12) end();
    });
    socket.on('end', end).on('close', end).on('error', end);
    socket.write([`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n'), 'latin1');
  });
}

describe.each(hosts)('$name', (host) => {
  const { start } = applications();

  test(`${RUNS} handshakes with one odd byte, sent over sockets, mean what the grammar of its field says`, async () => {
    const random = new Random(SEED);
    const guard = fieldsGuard('127.0.0.1');
    const faults: unknown[] = [];
    guard.on('fault', ({ error }) => faults.push(error));
    const app = await start(host, { guard });
    const told = new Map<string, number>();
    const wrong: string[] = [];
    const judge = async (odd: OddHandshake): Promise<void> => {
      const status = await statusOf(app.port, odd);
      told.set(status, (told.get(status) ?? 0) + 1);
      const admitted = status === '101';
      const may = odd.meaning === 'either' || admitted === (odd.meaning === 'same');
      if (!may || Number(status) >= 500) wrong.push(`${status} for ${JSON.stringify(odd)}`);
    };
    for (let run = 0; run < RUNS && wrong.length < 5; run += BATCH) {
      const bytes = Array.from({ length: BATCH }, () => random.below(256));
      const odd = bytes.filter((byte) => !LINE_ENDS.includes(byte)).map((byte) => oddHandshake(random, byte));
      await Promise.all(odd.map(judge));
    }
    expect(wrong).toEqual([]);
    expect(faults).toEqual([]);
    for (const status of ['101', '400', '401', '403'])
      expect([status, (told.get(status) ?? 0) > RUNS / 200]).toEqual([status, true]);
  }, 120_000);
});
