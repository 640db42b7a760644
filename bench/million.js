// Handshakes of a million distinct addresses against the core: what the tables come to, and what a handshake costs as they fill.
import { admit, handshakeRequest } from './inside.js';
import { guardOf } from './servers/guard.js';
import { median } from './statistics.js';
import { signToken } from './token.js';

/** Known addresses by microseconds for a handshake, and the bytes that are held in the end. */
export async function million(count) {
  // The rate of the defaults: one that is never reached remembers nobody.
  const limits = {
    handshakes: { rate: '120/m', burst: 60 },
    connections: 10_000_000,
    connectionsPerIdentity: 10_000_000,
  };
  const guard = guardOf({ policy: { limits } });
  const token = await signToken();
  const before = held();
  const points = [];
  let slices = [];
  let next = 10_000;
  for (let i = 0; i < count; ) {
    const from = performance.now();
    for (const end = i + 1_000; i < end; i++)
      (await admit(guard, handshakeRequest(token, addressOf(i)))).release();
    slices.push(performance.now() - from);
    if (i !== next && i !== count) continue;
    points.push([i, median(slices.slice(-10))]);
    slices = [];
    next *= 10;
  }
  const bytes = held() - before;
  await guard.close();
  return { points, bytes };
}

/** Half of them IPv4, half IPv6, none of them in one prefix that counts as one. */
function addressOf(i) {
  const [a, b, c] = [(i >> 16) & 255, (i >> 8) & 255, i & 255];
  return i % 2 === 0 ? `11.${a}.${b}.${c}` : `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`;
}

function held() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
