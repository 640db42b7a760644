import { safeText, Type } from '@sallyport/core';
import { safeHtml } from '@sallyport/core/html';

export const Room = safeText({ minLength: 1, maxLength: 64 });
export const Text = safeText({ minLength: 1, maxLength: 500 });
/** The text of a message as HTML, for pages that show it formatted. */
export const Markup = safeHtml({ maxLength: 2_000 });

const Said = Type.Object({
  id: Type.Integer(),
  room: Room,
  user: Type.String(),
  text: Text,
  html: Type.Optional(Markup),
  at: Type.Integer({ description: 'Milliseconds since the epoch.' }),
});

export type SaidMessage = Type.Static<typeof Said>;

/** The messages that the server sends. They are typed and checked when they are sent. */
export const replies = {
  welcome: Type.Object({ user: Type.String() }),
  said: Said,
  found: Type.Object({ messages: Type.Array(Said, { maxItems: 50 }) }),
};
