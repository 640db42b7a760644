import type { Hit, HitRequest, LeaseRequest, PrecheckAnswer, PrecheckRequest } from '@sallyport/core/store';
import type { Deadline } from './deadline.ts';
import type { Keys } from './redis-keys.ts';
import type { Runner } from './runner.ts';
import { PRECHECK, precheckAnswer, precheckArguments } from './scripts/precheck-script.ts';

interface Question {
  bans: string[];
  hits: HitRequest[];
  slots: { readonly index: number; readonly request: LeaseRequest }[];
}

/** The precheck in one script, or in one script per hash slot on a Cluster. */
export class RedisPrecheck {
  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
  ) {}

  async precheck(request: PrecheckRequest): Promise<PrecheckAnswer> {
    const deadline = this.runner.deadline();
    const { looks, runs } = this.#plan(request);
    const [first, ...later] = runs;
    // A banned key must spend nothing, so bans in other hash slots are read before the first hit.
    const bansElsewhere = looks.some(({ bans }) => bans.length > 0);
    const now = first === undefined || bansElsewhere ? looks : [first, ...looks];
    const answers = await Promise.all(now.map((question) => this.#ask(question, deadline)));
    for (const question of first !== undefined && bansElsewhere ? [first, ...later] : later) {
      if (answers.some(isRefusal)) break;
      answers.push(await this.#ask(question, deadline));
    }
    return combined(answers);
  }

  /** Hits in one script as long as they stay in one hash slot. The first of these scripts also does all else there. */
  #plan(request: PrecheckRequest): { looks: Question[]; runs: Question[] } {
    const looks = new Map<number, Question>();
    const at = (slot: number): Question => {
      const found = looks.get(slot) ?? { bans: [], hits: [], slots: [] };
      looks.set(slot, found);
      return found;
    };
    for (const ban of request.bans) at(this.runner.slotOf(this.keys.of('ban', ban))).bans.push(ban);
    for (const [index, lease] of request.leases.entries())
      at(this.runner.slotOf(this.keys.of('slots', lease.key))).slots.push({ index, request: lease });
    const runs: Question[] = [];
    let last: number | undefined;
    for (const hit of request.hits) {
      const slot = this.runner.slotOf(this.keys.of('rate', hit.keys[0]));
      if (slot !== last) runs.push(runs.length === 0 ? at(slot) : { bans: [], hits: [], slots: [] });
      runs.at(-1)?.hits.push(hit);
      last = slot;
    }
    return { looks: [...looks.values()].filter((question) => question !== runs[0]), runs };
  }

  async #ask({ bans, hits, slots }: Question, deadline: Deadline): Promise<PrecheckAnswer> {
    const leases = slots.map(({ request }) => request);
    const keys = [
      ...bans.map((key) => this.keys.of('ban', key)),
      ...hits.map((hit) => this.keys.of('rate', hit.keys[0])),
      ...leases.map(({ key }) => this.keys.of('slots', key)),
    ];
    const reply = await this.runner.run(PRECHECK, keys, precheckArguments({ bans, hits, leases }), deadline);
    const answer = precheckAnswer(reply);
    return { ...answer, full: slots[answer.full]?.index ?? -1 };
  }
}

function isRefusal({ bannedFor, hits }: PrecheckAnswer): boolean {
  return bannedFor > 0 || hits.some(({ allowed }) => !allowed);
}

function combined(answers: readonly PrecheckAnswer[]): PrecheckAnswer {
  const bannedFor = Math.max(0, ...answers.map((answer) => answer.bannedFor));
  if (bannedFor > 0) return { bannedFor, hits: [], full: -1 };
  const hits: Hit[] = answers.flatMap((answer) => answer.hits);
  const full = answers.map((answer) => answer.full).filter((index) => index !== -1);
  return { bannedFor, hits, full: full.length === 0 ? -1 : Math.min(...full) };
}
