// A program: sends messages to a guard and prints the outcomes as JSON, with or without code generation from strings.
import { anonymous, createGuard, safeText, Type } from '@sallyport/core';
import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import { admitted, connect } from '../../packages/core/test/support/decide.ts';
import { RecordingSocket } from '../../packages/core/test/support/recording-socket.ts';
import { upgradeRequest } from '../../packages/core/test/support/upgrade-request.ts';

let generates = true;
try {
  new Function('return 1');
} catch {
  generates = false;
}

const user = {
  name: Type.String({ minLength: 1, format: 'email' }),
  age: Type.Optional(Type.Integer({ minimum: 0 })),
};
const warnings: string[] = [];
const guard = createGuard({
  auth: [anonymous()],
  limits: { violations: 1_000 },
  logger: { warn: (_, text) => void warnings.push(text) },
  messages: {
    typebox: Type.Object(user),
    nested: Type.Object({
      list: Type.Array(Type.Object(user)),
      map: Type.Record(Type.String(), Type.Number()),
    }),
    union: Type.Union([
      Type.Object({ kind: Type.Literal('a'), x: Type.Number() }),
      Type.Object({ kind: Type.Literal('b'), y: Type.Number() }),
    ]),
    both: Type.Intersect([Type.Object({ a: Type.Number() }), Type.Object({ b: Type.Number() })]),
    plain: { type: 'object', properties: { a: { type: 'string', pattern: '^a+$' } }, required: ['a'] },
    stripped: { schema: Type.Object({ in: Type.Object({ a: Type.Number() }) }), unknownProperties: 'strip' },
    clean: Type.Object({ text: safeText({ maxLength: 5 }) }),
    zod: z.object({ a: z.string().trim() }),
    valibot: v.object({ a: v.pipe(v.string(), v.trim()) }),
    arktype: type({ a: 'string.trim' }),
  },
});

/** The warnings of the guard at its construction. */
const constructed = [...warnings];

const SENT: [type: string, body: object][] = [
  ['typebox', { name: 'a@example.com', age: 7 }],
  ['typebox', { name: 'nobody' }],
  ['typebox', { name: 'a@example.com', age: -1 }],
  ['typebox', { name: 'a@example.com', isAdmin: true }],
  ['nested', { list: [{ name: 'a@example.com' }], map: { a: 1 } }],
  ['nested', { list: [{ name: 'a@example.com', evil: 1 }], map: {} }],
  ['nested', { list: [], map: { a: 'x' } }],
  ['union', { kind: 'b', y: 1 }],
  ['union', { kind: 'b', x: 1 }],
  ['both', { a: 1, b: 2 }],
  ['both', { a: 1, b: 2, c: 3 }],
  ['plain', { a: 'aaa' }],
  ['plain', { a: 'aab' }],
  ['stripped', { in: { a: 1, evil: 2 }, evil: 3 }],
  ['stripped', { in: { a: 'x', evil: 2 } }],
  ['clean', { text: ' ab\u202e ' }],
  ['clean', { text: 'abcdef' }],
  ['zod', { a: ' x ' }],
  ['zod', { a: 7 }],
  ['zod', { a: 'x', evil: 1 }],
  ['valibot', { a: ' x ' }],
  ['valibot', { a: 'x', evil: 1 }],
  ['arktype', { a: ' x ' }],
  ['arktype', { a: 'x', evil: 1 }],
];

const socket = new RecordingSocket();
const request = upgradeRequest({ headers: { Origin: 'http://localhost:3000' } });
const connection = connect(await admitted(guard, request), socket);
const outcomes = SENT.map(([name, body]) => {
  connection.receive(JSON.stringify({ type: name, ...body }), false);
  const [delivered, denied] = [socket.delivered.splice(0), socket.sent.splice(0)];
  return delivered.length > 0 ? JSON.parse(String(delivered[0])) : denied[0];
});
connection.closed(1000);
process.stdout.write(JSON.stringify({ generates, warnings: constructed, outcomes }));
