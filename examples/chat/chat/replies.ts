import { Type } from '@sallyport/core';

export const Room = Type.String({ minLength: 1, maxLength: 64 });
export const Text = Type.String({ minLength: 1, maxLength: 500 });

const Said = Type.Object({
  id: Type.Integer(),
  room: Room,
  user: Type.String(),
  text: Text,
  at: Type.Integer({ description: 'Milliseconds since the epoch.' }),
});

export type SaidMessage = Type.Static<typeof Said>;

/** What the chat sends: typed where it is sent, and checked there. */
export const replies = {
  welcome: Type.Object({ user: Type.String() }),
  said: Said,
  found: Type.Object({ messages: Type.Array(Said, { maxItems: 50 }) }),
};
