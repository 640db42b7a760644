// What the guard itself does on a message, beside the `JSON.parse` that anybody would have to do.
import { connected, TEXT } from './inside.js';
import { guardOf } from './servers/guard.js';
import { ratios, spread } from './statistics.js';

const TIMES = 20_000;

/** Nanoseconds for one message of the parse, of the whole, and the quotient of the rest and the parse, with spreads. */
export async function ownWork(rounds) {
  const guard = guardOf();
  const { receiver, handled } = await connected(guard);
  const bytes = Buffer.from(TEXT);
  let parsed = 0;
  const parse = () => {
    for (let i = 0; i < TIMES; i++) parsed += JSON.parse(bytes.toString('utf8')).text.length;
  };
  const whole = () => {
    for (let i = 0; i < TIMES; i++) receiver.receive(bytes, false);
  };
  for (let i = 0; i < 5; i++) {
    parse();
    whole();
  }
  const [parses, wholes] = [[], []];
  for (let round = 0; round < rounds; round++) {
    parses.push(nanoseconds(parse));
    wholes.push(nanoseconds(whole));
  }
  if (handled() !== TIMES * (rounds + 5) || parsed === 0) throw new Error('Not every message was handled.');
  receiver.closed(1000);
  await guard.close();
  const own = wholes.map((value, i) => value - parses[i]);
  return { parse: spread(parses), whole: spread(wholes), ratio: spread(ratios(own, parses)) };
}

function nanoseconds(work) {
  const from = performance.now();
  work();
  return ((performance.now() - from) * 1e6) / TIMES;
}
