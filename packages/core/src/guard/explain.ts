import { HandshakeContext, type Reading } from '../handshake/handshake-context.ts';
import { isReportOnly, NOT_EVALUATED, type Reporting, type Stage } from '../handshake/stage.ts';
import { type HandshakeStage, isPromise } from '../vocabulary/decision.ts';
import type { HandshakeRequest } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';

/** What one stage would decide. */
export interface StageExplanation {
  readonly stage: HandshakeStage;
  /** `report`: would deny, but only reports. `not evaluated`: would run application code or fetch, or comes after a denial. */
  readonly outcome: 'pass' | 'deny' | 'report' | 'not evaluated';
  readonly reason?: Reason;
  readonly detail?: string;
}

/** The decision on a handshake, stage by stage. */
export interface Explanation {
  /** `undefined` if it depends on a stage that could not be evaluated. */
  readonly allowed: boolean | undefined;
  readonly stages: readonly StageExplanation[];
}

/** @throws TypeError for what is no description of a request. */
function requireRequest(request: HandshakeRequest): void {
  const { rawHeaders, target, peer } = (request ?? {}) as Partial<HandshakeRequest>;
  if (Array.isArray(rawHeaders) && typeof target === 'string' && typeof peer === 'object' && peer !== null)
    return;
  throw new TypeError('explain() takes a request: { method, target, httpVersion, rawHeaders, peer }.');
}

/** Runs the stages of both doors without reserving, spending or fetching anything. Shows no token and no claim. */
export async function explainHandshake(
  request: HandshakeRequest,
  reading: Reading,
  doors: readonly (readonly [readonly Stage[], Reporting])[],
): Promise<Explanation> {
  requireRequest(request);
  const context = new HandshakeContext(request, reading);
  const stages: StageExplanation[] = [];
  let allowed: boolean | undefined = true;
  for (const [door, reporting] of doors) {
    for (const stage of door) {
      const explanation: StageExplanation =
        allowed === false
          ? { stage: stage.name, outcome: 'not evaluated' }
          : await explainStage(stage, context, reporting);
      stages.push(explanation);
      if (explanation.outcome === 'deny') allowed = false;
      if (explanation.outcome === 'not evaluated' && allowed === true) allowed = undefined;
    }
  }
  return { allowed, stages };
}

async function explainStage(
  stage: Stage,
  context: HandshakeContext,
  reporting: Reporting,
): Promise<StageExplanation> {
  const { name } = stage;
  try {
    const answer = stage.preview === undefined ? stage.check(context) : stage.preview(context);
    const verdict = isPromise(answer) ? await answer : answer;
    if (verdict === NOT_EVALUATED) return { stage: name, outcome: 'not evaluated' };
    if (verdict === undefined) return { stage: name, outcome: 'pass' };
    const outcome = isReportOnly(verdict.at(name), reporting) ? 'report' : 'deny';
    return { stage: name, outcome, reason: verdict.reason, detail: verdict.detail };
  } catch {
    return { stage: name, outcome: 'deny', reason: 'internal', detail: 'a fault inside the guard' };
  }
}
