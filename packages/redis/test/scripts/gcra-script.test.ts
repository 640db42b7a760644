import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RateLimit } from '@sallyport/core/store';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describeWith } from '../../../../test/support/needs.ts';
import { RedisServer } from '../../../../test/support/redis.ts';
import { hitOf } from '../../../core/src/limits/cell-rate.ts';
import { GCRA } from '../../src/scripts/gcra-script.ts';

/** One step: microseconds since the one before, and what is asked; a charge takes hits whether they fit or not. */
interface Step {
  readonly wait: number;
  readonly cost: number;
  readonly charge: boolean;
}

type Answer = readonly [allowed: number, remaining: number, retryAfter: number];

/** Some microsecond of 2026, as large as they are in earnest. */
const START = 1_780_000_000_123_457;

/**
 * The functions of the store's own scripts, with a time that the test decides. What the store sends to Redis takes no
 * time from anybody: there `now` is Redis's.
 */
const SEQUENCE = `
local function text(number) return string.format('%.17g', number) end
${GCRA}
local interval, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local answers = {}
for i = 4, #ARGV, 3 do
  now = now + tonumber(ARGV[i])
  local cost = tonumber(ARGV[i + 1])
  if ARGV[i + 2] == '1' then
    charge(KEYS[1], now, interval, burst, cost)
  else
    local allowed, left, wait = hit(KEYS[1], now, interval, burst, cost)
    answers[#answers + 1] = text(allowed)
    answers[#answers + 1] = text(left)
    answers[#answers + 1] = text(wait)
  end
  -- The test's time does not pass as fast as that of Redis, which would forget the bucket.
  redis.call('PERSIST', KEYS[1])
end
redis.call('DEL', KEYS[1])
return answers
`;

/** The core's arithmetic on a bucket that is moved to the present before each step. */
function byCore(limit: RateLimit, steps: readonly Step[]): Answer[] {
  const answers: Answer[] = [];
  let bucket: { at: number; debt: number } | undefined;
  let now = START;
  for (const { wait, cost, charge } of steps) {
    now += wait;
    const tat = bucket === undefined ? 0 : bucket.debt - Math.max(0, now - bucket.at) / 1_000;
    if (charge) {
      // The core charges up to a debt of one full burst.
      const debt = Math.min(Math.max(tat, 0) + cost * limit.interval, limit.burst * limit.interval);
      bucket = { at: now, debt: Math.max(tat, debt) };
      continue;
    }
    const { hit, next } = hitOf(tat, 0, limit, cost);
    answers.push([hit.allowed ? 1 : 0, hit.remaining, hit.retryAfter]);
    if (hit.allowed && cost > 0) bucket = { at: now, debt: next };
  }
  return answers;
}

/** The core's arithmetic as it is, on times that never come to an end of their precision. */
function byCoreFromTheStart(limit: RateLimit, steps: readonly Step[]): Answer[] {
  const answers: Answer[] = [];
  let tat = 0;
  let now = 0;
  for (const { wait, cost } of steps) {
    now += wait / 1_000;
    const { hit, next } = hitOf(tat, now, limit, cost);
    answers.push([hit.allowed ? 1 : 0, hit.remaining, hit.retryAfter]);
    tat = next;
  }
  return answers;
}

describeWith('redis', 'the rate algorithm in Redis', (program) => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await RedisServer.start(program);
    client = new Redis(server.port);
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  async function byRedis({ interval, burst }: RateLimit, steps: readonly Step[]): Promise<Answer[]> {
    const args = steps.flatMap(({ wait, cost, charge }) => [wait, cost, charge ? 1 : 0]);
    const reply = (await client.eval(SEQUENCE, 1, 'bucket', interval, burst, START, ...args)) as string[];
    const numbers = reply.map(Number);
    return Array.from({ length: numbers.length / 3 }, (_, i) => numbers.slice(3 * i, 3 * i + 3) as never);
  }

  test('property: the script answers like the core, to the last bit, for hits, looks and charges', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.001, max: 4_000_000, noNaN: true }),
        fc.integer({ min: 1, max: 300 }),
        fc.array(
          fc.record({
            // Mostly as long as a few hits cost; sometimes the clock is set back.
            wait: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: -1_000_000, max: 1e9 })),
            cost: fc.integer({ min: 0, max: 400 }),
            charge: fc.boolean(),
          }),
          { maxLength: 60 },
        ),
        async (interval, burst, steps) => {
          const limit = { interval, burst };
          expect(await byRedis(limit, steps)).toEqual(byCore(limit, steps));
        },
      ),
      { numRuns: 500 },
    );
  }, 30_000);

  test('property: the script and the core agree if time counts from the start', async () => {
    await fc.assert(
      fc.asyncProperty(
        // Eighths of a millisecond keep every sum exact, so a difference means another algorithm.
        fc.integer({ min: 1, max: 8_000 }).map((eighths) => eighths / 8),
        fc.integer({ min: 1, max: 50 }),
        fc.array(
          fc.record({
            wait: fc.integer({ min: 0, max: 40_000 }).map((eighths) => eighths * 125),
            cost: fc.integer({ min: 0, max: 80 }),
            charge: fc.constant(false),
          }),
          { maxLength: 60 },
        ),
        async (interval, burst, steps) => {
          const limit = { interval, burst };
          const answers = await byRedis(limit, steps);
          const expected = byCoreFromTheStart(limit, steps);
          expect(answers.map(([allowed]) => allowed)).toEqual(expected.map(([allowed]) => allowed));
          expect(answers.map(([, left]) => left)).toEqual(expected.map(([, left]) => left));
          for (const [i, [, , wait]] of answers.entries())
            expect(wait).toBeCloseTo(expected[i]?.[2] ?? -1, 6);
        },
      ),
      { numRuns: 300 },
    );
  }, 30_000);

  test('property: exactly the burst fits at one instant, at every rate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.001, max: 4_000_000, noNaN: true }),
        fc.integer({ min: 1, max: 200 }),
        async (interval, burst) => {
          const steps = Array.from({ length: burst + 3 }, () => ({ wait: 0, cost: 1, charge: false }));
          const answers = await byRedis({ interval, burst }, steps);
          expect(answers.filter(([allowed]) => allowed === 1)).toHaveLength(burst);
        },
      ),
    );
  }, 30_000);
});
