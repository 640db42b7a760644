import { isMap } from './bounds.ts';
import type { Dialect } from './dialect.ts';
import { UNNAMED } from './oddities.ts';
import type { Outcome } from './outcomes.ts';
import type { Delivery, Expected, Refusal } from './reference.ts';
import { isAnswered, openers, pathIn, refusalIn } from './reference-envelopes.ts';
import { namesIn } from './reference-schemas.ts';
import { isSame } from './same.ts';

/** A cheap assertion: Jest's `expect` costs more than a whole message. */
export function must(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Error(what());
}

/**
 * Takes the outcomes of a message from the front of the list, and compares them with the expected ones: the message was handed to
 * the typed handler and then to listeners of the bare library, or it was refused. `result` is what its handler returned.
 */
export function checkNext(
  outcomes: Outcome[],
  expected: Expected,
  sent: Uint8Array,
  dialect: Dialect,
  result: unknown,
): void {
  if ('reason' in expected) {
    checkRefusal(outcomes, expected, dialect);
    return;
  }
  checkHandled(outcomes.shift(), expected, dialect);
  checkPassedOn(outcomes.shift(), expected, sent, dialect);
  if (result === undefined) return;
  const answer = answerIn(outcomes.shift(), dialect);
  must(isSame(result, answer, true), () => `answered with ${show(answer)} and not ${show(result)}`);
}

function checkHandled(outcome: Outcome | undefined, expected: Delivery, { envelope }: Dialect): void {
  must(outcome?.kind === 'handled', () => `had to be handled as ${show(expected)}, and was ${show(outcome)}`);
  must(outcome.type === expected.type, () => `was handled as ${outcome.type} and not as ${expected.type}`);
  // zod schemas do not declare the type of a flat message.
  const isMerged = envelope === 'flat' && !expected.type.startsWith('zod');
  const body = isMerged ? { ...expected.body, type: expected.type } : expected.body;
  must(isSame(body, outcome.body), () => `the handler got ${show(outcome.body)} and not ${show(body)}`);
}

function checkPassedOn(
  outcome: Outcome | undefined,
  { type, id, body, changed }: Delivery,
  sent: Uint8Array,
  dialect: Dialect,
): void {
  must(outcome?.kind === 'passed on', () => `was not passed on to bare listeners, but ${show(outcome)}`);
  must(outcome.isBinary === (dialect.codec !== undefined), () => 'was passed on as another kind of frame');
  const { data } = outcome;
  must(data instanceof Uint8Array, () => 'was passed on as something else than bytes');
  // zod returns a new value, which replaces the message even if it is equal.
  const isWrittenAnew = changed || dialect.codec !== undefined || type.startsWith('zod');
  if (!isWrittenAnew) {
    must(
      Buffer.compare(data, sent) === 0,
      () => `was passed on as ${show(data)}, although nothing in it had to change`,
    );
    return;
  }
  const read = dialect.read(data);
  const opened = read === undefined || read.repeats ? undefined : openers[dialect.envelope](read.value);
  const told = { type, id, body: dialect.written(body) };
  must(
    opened !== undefined && isSame({ ...opened }, told, true),
    () => `the bytes that were passed on say ${show(read?.value)} and not ${show(told)}`,
  );
}

function checkRefusal(outcomes: Outcome[], refusal: Refusal, dialect: Dialect): void {
  const { reason, id } = refusal;
  if (!isAnswered(dialect.envelope, id)) return;
  const answer = answerIn(outcomes.shift(), dialect);
  const path = pathIn(answer);
  const expected = refusalIn(dialect.envelope, reason, id, path as string | undefined);
  must(isSame(expected, answer, true), () => `answered with ${show(answer)} and not ${show(expected)}`);
  must(
    (path === undefined) === (reason !== 'message_invalid'),
    () => `has the pointer ${show(path)} for ${reason}`,
  );
  if (path !== undefined) checkPointer(path as string, refusal);
}

/** Whether a pointer leads into the body or to a missing property, and holds no name that the sender chose. */
function checkPointer(pointer: string, { body, type = '', pointers }: Refusal): void {
  must(typeof pointer === 'string' && pointer.length <= 200, () => `the pointer is ${show(pointer)}`);
  if (pointers !== undefined) {
    must(pointers.includes(pointer), () => `the pointer is ${pointer}, and not one of ${pointers.join(' ')}`);
    return;
  }
  if (pointer === '' || pointer.length === 200) return;
  must(pointer.startsWith('/'), () => `the pointer ${pointer} does not start with /`);
  const steps = pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  let value: unknown = body;
  for (const step of steps.slice(0, -1)) {
    must(
      (isMap(value) || Array.isArray(value)) && Object.hasOwn(value, step),
      () => `the pointer ${pointer} leads nowhere`,
    );
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  const names = namesIn.get(type);
  const made =
    names === undefined ? undefined : steps.find((step) => UNNAMED.includes(step) && !names.has(step));
  must(made === undefined, () => `the pointer ${pointer} tells a name that the sender made up`);
}

function answerIn(outcome: Outcome | undefined, { codec }: Dialect): unknown {
  must(outcome?.kind === 'answered', () => `had to be answered, and was ${show(outcome)}`);
  const { data } = outcome;
  must((typeof data === 'string') === (codec === undefined), () => 'was answered by another kind of frame');
  return codec === undefined ? JSON.parse(data as string) : codec.decode(data, () => undefined);
}

export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('latin1')}`;
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      inner === undefined ? 'undefined' : Object.is(inner, -0) ? '-0' : inner,
    ) ?? 'undefined'
  );
}
