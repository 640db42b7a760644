import { sanitize, Type } from '@sallyport/core';
import { Compile } from 'typebox/compile';
import { Markup, Room, Text } from './replies.ts';

/** A message on its way from one node to another. Each node gives it an id of its own. */
const SaidElsewhere = Type.Object(
  {
    room: Type.String(),
    user: Type.String({ minLength: 1, maxLength: 32 }),
    text: Type.String(),
    html: Type.Optional(Type.String()),
    at: Type.Integer(),
  },
  { additionalProperties: false },
);

export type SaidElsewhere = Type.Static<typeof SaidElsewhere>;

const shape = Compile(SaidElsewhere);

/** What came from Redis as it could have been said here: others may write there. Nothing for what could not have been. */
export function saidElsewhere(value: unknown): SaidElsewhere | undefined {
  if (!shape.Check(value)) return undefined;
  const room = sanitize(Room, value.room);
  const text = sanitize(Text, value.text);
  const html = value.html === undefined ? undefined : sanitize(Markup, value.html);
  if (room === undefined || text === undefined) return undefined;
  if (html === undefined && value.html !== undefined) return undefined;
  const { user, at } = value;
  return { room, user, text, ...(html === undefined ? {} : { html }), at };
}
