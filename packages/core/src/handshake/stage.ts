import {
  type Denial,
  deny,
  type HandshakeStage,
  isPromise,
  type MaybePromise,
} from '../vocabulary/decision.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Arrival } from './arrival.ts';

/** What `explain()` says of a stage that it must not run. */
export const NOT_EVALUATED: unique symbol = Symbol('not evaluated');

/** One named check of a handshake. */
export interface Stage {
  readonly name: HandshakeStage;
  /** A denial, or nothing; a throw is a fault, and a fault denies. */
  check(arrival: Arrival): MaybePromise<Denial | undefined>;
  /** The same answer without reserving, spending or fetching anything; default: `check`. */
  preview?(arrival: Arrival): MaybePromise<Denial | undefined | typeof NOT_EVALUATED>;
}

/** Stages that record what they would have denied, and let through. */
export interface Reporting {
  readonly stages: ReadonlySet<string>;
  reported(arrival: Arrival, denial: Denial): void;
  fault(stage: HandshakeStage, error: unknown): void;
}

/** Runs the stages in order until one denies. Nothing is awaited unless a stage answers with a promise. */
export function runStages(
  stages: readonly Stage[],
  arrival: Arrival,
  reporting: Reporting,
  from = 0,
): MaybePromise<Denial | undefined> {
  for (let i = from; i < stages.length; i++) {
    const stage = stages[i] as Stage;
    let verdict: MaybePromise<Denial | undefined>;
    try {
      verdict = stage.check(arrival);
    } catch (error) {
      return faultDenial(stage, error, reporting);
    }
    if (isPromise(verdict)) {
      return verdict.then(
        (late) => settle(stage, late, arrival, reporting) ?? runStages(stages, arrival, reporting, i + 1),
        (error) => faultDenial(stage, error, reporting),
      );
    }
    const denial = settle(stage, verdict, arrival, reporting);
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
  arrival: Arrival,
  reporting: Reporting,
): Denial | undefined {
  if (verdict === undefined) return undefined;
  const denial = verdict.at(stage.name);
  if (!isReportOnly(denial, reporting)) return denial;
  reporting.reported(arrival, denial);
  return undefined;
}

function faultDenial(stage: Stage, error: unknown, reporting: Reporting): Denial {
  reporting.fault(stage.name, error);
  return deny('internal', 'a fault inside the guard or one of its hooks').at(stage.name);
}
