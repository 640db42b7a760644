// What the project has promised itself, as ratios of one run; a target that is missed is reported as missed.

/** `guard` must be at least, or at most, so many times `against`, in the middle of all rounds. */
export const messageTargets = [
  { shape: 'echo', inFlight: 20, against: 'bare', guard: 'guard', least: 3.4 },
  { shape: 'reply', inFlight: 20, against: 'bare', guard: 'guard', least: 1.5 },
  { shape: 'echo', inFlight: 1, against: 'bare', guard: 'guard', least: 0.92 },
  { shape: 'reply', inFlight: 1, against: 'bare', guard: 'guard', least: 1 },
  { shape: 'echo', inFlight: 20, against: 'fastify-stack', guard: 'guard-fastify', least: 1.5 },
  { shape: 'echo', inFlight: 20, against: 'express-ws-stack', guard: 'guard-express', least: 1.5 },
  { shape: 'reply', inFlight: 20, against: 'fastify-stack', guard: 'guard-fastify', least: 1.5 },
  { shape: 'reply', inFlight: 20, against: 'express-ws-stack', guard: 'guard-express', least: 1.5 },
  { shape: 'echo', inFlight: 1, against: 'fastify-stack', guard: 'guard-fastify', least: 1.1 },
  { shape: 'echo', inFlight: 1, against: 'express-ws-stack', guard: 'guard-express', least: 1.1 },
  { shape: 'reply', inFlight: 1, against: 'fastify-stack', guard: 'guard-fastify', least: 1.1 },
  { shape: 'reply', inFlight: 1, against: 'express-ws-stack', guard: 'guard-express', least: 1.1 },
];

export const handshakeTargets = { known: 1.1, fresh: 1.25, refused: 0.72 };
/** How many times the CPU of what a team assembles on a framework an accepted handshake with a known token may cost. */
export const stackTargets = [
  { guard: 'guard-fastify', against: 'fastify-stack', most: 1 },
  { guard: 'guard-express', against: 'express-ws-stack', most: 1 },
];
/** The CPU of a handshake that is refused behind ten middlewares, of an accepted bare one. */
export const behindTarget = 0.8;
/** How many times an ordinary refused handshake, and the dearest accepted message, the dearest refused one may cost. */
export const dearestTargets = { handshake: 3, message: 5 };
/** Bytes that a handshake may allocate on each host, and a refused one on ws. */
export const allocationTargets = {
  guard: 22_000,
  'guard-fastify': 32_000,
  'guard-express': 34_000,
  refused: 12_000,
};
export const ownWorkTarget = 0.5;
/** Bytes beyond bare ws. */
export const memoryTarget = 450;
/** How much more a message may cost with the most open connections than with the fewest. */
export const flatTarget = 1.1;

/** What stands in the way of those that are missed, as far as it was found: read where one is. */
export const floors = {
  oneInFlight: `With one message in flight every answer is a system call of its own, and there is nothing to gather. In a profile of the
server nine tenths of its time are in that call, with or without a guard, so that nobody is a tenth faster than somebody else who makes the
same one; what is left moves by as much as the machine does from one slice to the next. Tried: header and payload in one piece
(one \`write\` instead of a \`writev\`), replies without a copy of their body, no allocation that a message does not need.`,
  known: `Most of a bare handshake is system calls. The guard adds one, for the peer's address (\`bare ws, which asks for the address\`), and
twelve stages: 8 µs of JavaScript in a loop of their own, some 25 µs amid everything else, collections of garbage included, since each runs
once for each connection and finds the caches cold. A client that waits for one answer after another makes it more: every microsecond
before the 101 is one in which it falls asleep, and waking it costs the server. The same checks written by hand come to about
as much (\`ws, the checks by hand\`). Tried, and kept: one pass without promises, listeners and timers where nothing has to be waited for; nothing that outlives the
next small collection (entries of \`Set\` and \`WeakMap\` did, and what hung on them was copied twice); classes in place of objects with
getters; one property on the socket instead of three; tables that are not emptied. From 2.2 times a bare handshake to what is above.`,
  fresh: `The same as for a token seen before, and a signature: its HMAC takes 2 µs in a loop of its own, reading and judging the claims 6, freezing
and remembering them 3; amid everything else, garbage included, it is about 35. \`ws, the checks by hand\` verifies a token at each handshake and
remembers none, for 20. Between the two stand the checks that jsonwebtoken does not make (one spelling, strict UTF-8, claims
that nobody can change), and that claims are judged by jose: a judge of our own would save a few microseconds, and be one
more to trust. Tried, and kept: the signature is looked at at once, and not by WebCrypto's thread, which took 240 µs; the header is read
once for all tokens that begin alike. From 4.2 times to what is above.`,
  refused: `A refusal writes, shuts down and closes, where an accepted handshake only writes: \`an empty 403, nothing looked at\` is the
floor. Tried, and kept: no listener and no timer before the decision, a response that is written once for each reason. Not ending the
socket before closing it gained nothing. From 1.4 times an accepted handshake to what is above.`,
  flat: `Nothing on the way of a message depends on how many connections there are, and with ten times as many the runs lie closer together:
this is the machine between two slices.`,
  ownWork: `Beside 400 ns for bytes to text and \`JSON.parse\` there are the clock (50 ns here), both buckets (10), the envelope (30), the colons
that tell of repeated keys (40), the schema (25), order, permission and turn (30), and the way through the inbox to the handler, with
what it takes to bear a handler that throws or never ends (100 to 150). Tried, and kept: a message of fixed shape is not walked through
twice, keys are counted by their colons. None of them alone would bring it
below half of the parse, and each is a check, or a promise that is kept.`,
};
