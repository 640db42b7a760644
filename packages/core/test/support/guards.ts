import {
  type AnyGuard,
  anonymous,
  createGuard,
  type EventName,
  type GuardEvents,
  Type,
} from '@sallyport/core';
import { ManualClock } from './manual-clock.ts';

export const SAY = Type.Object({ text: Type.String({ maxLength: 20 }) });

/** What a policy needs at least, with time that a test owns and no log. */
export function basics(clock = new ManualClock()) {
  return { auth: [anonymous()], messages: { say: SAY }, clock, logger: false } as const;
}

/** Any policy as a guard: for tests that give options which the types would refuse, or do not care. */
export function guardOf(options: object) {
  return createGuard({ ...basics(), ...options } as ReturnType<typeof basics>);
}

/** Collects every event of a name. */
export function collect<N extends EventName>(guard: AnyGuard, name: N): GuardEvents[N][] {
  const events: GuardEvents[N][] = [];
  guard.on(name, (event) => void events.push(event));
  return events;
}
