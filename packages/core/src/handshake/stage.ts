import {
  type Denial,
  deny,
  type HandshakeStage,
  isPromise,
  type MaybePromise,
} from '../vocabulary/decision.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { HandshakeContext } from './handshake-context.ts';

/** The answer of a stage that `explain()` must not run. */
export const NOT_EVALUATED: unique symbol = Symbol('not evaluated');

export interface Stage {
  readonly name: HandshakeStage;
  /** Returns a denial or `undefined`. A throw is a fault, and a fault denies. */
  check(context: HandshakeContext): MaybePromise<Denial | undefined>;
  /** The same answer for `explain()`, without reserving, counting or fetching anything. Default: `check`. */
  preview?(context: HandshakeContext): MaybePromise<Denial | undefined | typeof NOT_EVALUATED>;
}

/** Report-only mode: these stages record a denial and let the handshake through. */
export interface Reporting {
  readonly stages: ReadonlySet<string>;
  reported(context: HandshakeContext, denial: Denial): void;
  fault(stage: HandshakeStage, error: unknown): void;
}

/** Runs the stages in order until one denies. It stays synchronous unless a stage returns a promise. */
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

/** Denials that report-only mode cannot lift, because the check itself failed. */
const NO_VERDICT: ReadonlySet<Reason> = new Set<Reason>(['internal', 'store_unavailable']);

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
  return deny('internal', 'the guard or one of its hooks threw an error').at(stage.name);
}
