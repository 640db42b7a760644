import { describe, expect, test } from '@jest/globals';
import type { HandshakeContext } from '../../src/handshake/handshake-context.ts';
import { isReportOnly, type Reporting, runStages, type Stage } from '../../src/handshake/stage.ts';
import { Denial, deny, type HandshakeStage, type MaybePromise } from '../../src/vocabulary/decision.ts';
import { reasons } from '../../src/vocabulary/reasons.ts';

function bench(stages: readonly string[] = []) {
  const told: string[] = [];
  const reporting: Reporting = {
    stages: new Set(stages),
    reported: (_context, { reason, stage }) => told.push(`reported ${stage} ${reason}`),
    fault: (stage, error) => told.push(`fault ${stage} ${(error as Error).message}`),
  };
  const stage = (name: HandshakeStage, answer: () => MaybePromise<Denial | undefined>): Stage => ({
    name,
    check: () => {
      told.push(name);
      return answer();
    },
  });
  const run = (...list: Stage[]) => runStages(list, {} as HandshakeContext, reporting);
  return { told, reporting, stage, run };
}

test('stages run in order until one denies, and the denial names its stage', () => {
  const { told, stage, run } = bench();
  const verdict = run(
    stage('request', () => undefined),
    stage('host', () => deny('host_denied', '')),
    stage('rate', () => undefined),
  );
  expect(verdict).toMatchObject({ reason: 'host_denied', stage: 'host' });
  expect(told).toEqual(['request', 'host']);
});

test.each<[string, () => MaybePromise<undefined>]>([
  [
    'throws',
    () => {
      throw new Error('odd');
    },
  ],
  ['rejects', () => Promise.reject(new Error('odd'))],
])('a stage that %s denies with internal, in report-only mode as well', async (_what, answer) => {
  for (const reported of [[], ['rate']]) {
    const { told, stage, run } = bench(reported);
    const verdict = await run(
      stage('rate', answer),
      stage('host', () => undefined),
    );
    expect(verdict).toMatchObject({ reason: 'internal', stage: 'rate' });
    expect(told).toEqual(['rate', 'fault rate odd']);
  }
});

describe('a stage that only reports', () => {
  test('a stage in report-only mode reports its denial and lets the handshake go on', async () => {
    for (const answer of [deny('handshake_rate', ''), Promise.resolve(deny('handshake_rate', ''))]) {
      const { told, stage, run } = bench(['rate']);
      const verdict = await run(
        stage('rate', () => answer),
        stage('credential', () => undefined),
      );
      expect(verdict).toBeUndefined();
      expect(told).toEqual(['rate', 'reported rate handshake_rate', 'credential']);
    }
  });

  test('a denial on behalf of another stage denies although the stage is in report-only mode', () => {
    const { stage, run } = bench(['rate']);
    expect(run(stage('rate', () => deny('banned', '').at('address')))).toMatchObject({ reason: 'banned' });
  });

  test('report-only mode lifts every reason except internal and store_unavailable', () => {
    const { reporting } = bench(['rate']);
    const decided = Object.keys(reasons).filter(
      (reason) => !isReportOnly(new Denial(reason as keyof typeof reasons, '', 0, 'rate'), reporting),
    );
    expect(decided.sort()).toEqual(['internal', 'store_unavailable']);
  });
});
