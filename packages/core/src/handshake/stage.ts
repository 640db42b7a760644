import {
  type Denial,
  deny,
  type HandshakeStage,
  isPromise,
  type MaybePromise,
} from '../vocabulary/decision.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { HandshakeContext } from './handshake-context.ts';

/** What `explain()` says of a stage that it must not run. */
export const NOT_EVALUATED: unique symbol = Symbol('not evaluated');

/** One named check of a handshake. */
export interface Stage {
  readonly name: HandshakeStage;
  /** A denial, or nothing; a throw is a fault, and a fault denies. */
  check(context: HandshakeContext): MaybePromise<Denial | undefined>;
  /** The same answer without reserving, spending or fetching anything; default: `check`. */
  preview?(context: HandshakeContext): MaybePromise<Denial | undefined | typeof NOT_EVALUATED>;
}

/** Stages that record what they would have denied, and let through. */
export interface Reporting {
  readonly stages: ReadonlySet<string>;
  reported(context: HandshakeContext, denial: Denial): void;
  fault(stage: HandshakeStage, error: unknown): void;
}

/** Runs the stages in order until one denies. Nothing is awaited unless a stage answers with a promise. */
export function runStages(
  stages: readonly Stage[],
  context: HandshakeContext,
  reporting: Reporting,
  from = 0,
): MaybePromise<Denial | undefined> {
  for (let i = from; i < stages.length; i++) {
    const stage = stages[i] as Stage;
    let verdict: MaybePromise<Denial | undefined>;
    try {
      verdict = stage.check(context);
    } catch (error) {
      return faultDenial(stage, error, reporting);
    }
    if (isPromise(verdict)) {
      return verdict.then(
        (late) => settle(stage, late, context, reporting) ?? runStages(stages, context, reporting, i + 1),
        (error) => faultDenial(stage, error, reporting),
      );
    }
    const denial = settle(stage, verdict, context, reporting);
    if (denial !== undefined) return denial;
  }
  return undefined;
}

/** Denials that are no verdict on the peer, so that there is nothing that could be reported instead: a fault, say. */
const NO_VERDICT: ReadonlySet<Reason> = new Set<Reason>(['internal', 'store_unavailable']);

/** Whether a denial of a stage in report-only mode lets through. */
export function isReportOnly({ reason, stage }: Denial, { stages }: Reporting): boolean {
  return stage !== undefined && stages.has(stage) && !NO_VERDICT.has(reason);
}

function settle(
  stage: Stage,
  verdict: Denial | undefined,
  context: HandshakeContext,
  reporting: Reporting,
): Denial | undefined {
  if (verdict === undefined) return undefined;
  const denial = verdict.at(stage.name);
  if (!isReportOnly(denial, reporting)) return denial;
  reporting.reported(context, denial);
  return undefined;
}

function faultDenial(stage: Stage, error: unknown, reporting: Reporting): Denial {
  reporting.fault(stage.name, error);
  return deny('internal', 'a fault inside the guard or one of its hooks').at(stage.name);
}
