import { sanitize, Type } from '@sallyport/core';
import { Compile } from 'typebox/compile';
import { Markup, Room, Text } from './replies.ts';

/** A message from one node to another. It has no id, because each node gives it an id of its own. */
const RemoteMessage = Type.Object(
  {
    room: Type.String(),
    user: Type.String({ minLength: 1, maxLength: 32 }),
    text: Type.String(),
    html: Type.Optional(Type.String()),
    at: Type.Integer(),
  },
  { additionalProperties: false },
);

export type RemoteMessage = Type.Static<typeof RemoteMessage>;

const shape = Compile(RemoteMessage);

/**
 * Checks and sanitizes a message from Redis like one of a client, because other programs may write to Redis. Returns
 * `undefined` for a message that this node would refuse.
 */
export function checkRemoteMessage(value: unknown): RemoteMessage | undefined {
  if (!shape.Check(value)) return undefined;
  const room = sanitize(Room, value.room);
  const text = sanitize(Text, value.text);
  const html = value.html === undefined ? undefined : sanitize(Markup, value.html);
  if (room === undefined || text === undefined) return undefined;
  if (html === undefined && value.html !== undefined) return undefined;
  const { user, at } = value;
  return { room, user, text, ...(html === undefined ? {} : { html }), at };
}
