// What the project has promised itself, as ratios of one run; a target that is missed is reported as missed.

/** `guard` must be at least, or at most, so many times `against`, in the middle of all rounds. */
export const messageTargets = [
  { shape: 'echo', inFlight: 20, against: 'bare', guard: 'guard', least: 1.5 },
  { shape: 'reply', inFlight: 20, against: 'bare', guard: 'guard', least: 1.5 },
  { shape: 'echo', inFlight: 1, against: 'bare', guard: 'guard', least: 0.85 },
  { shape: 'reply', inFlight: 1, against: 'bare', guard: 'guard', least: 0.95 },
  { shape: 'echo', inFlight: 20, against: 'fastify-stack', guard: 'guard-fastify', least: 1.5 },
  { shape: 'echo', inFlight: 20, against: 'express-ws-stack', guard: 'guard-express', least: 1.5 },
  { shape: 'reply', inFlight: 20, against: 'fastify-stack', guard: 'guard-fastify', least: 1.5 },
  { shape: 'reply', inFlight: 20, against: 'express-ws-stack', guard: 'guard-express', least: 1.5 },
  { shape: 'echo', inFlight: 1, against: 'fastify-stack', guard: 'guard-fastify', least: 1.1 },
  { shape: 'echo', inFlight: 1, against: 'express-ws-stack', guard: 'guard-express', least: 1.1 },
  { shape: 'reply', inFlight: 1, against: 'fastify-stack', guard: 'guard-fastify', least: 1.1 },
  { shape: 'reply', inFlight: 1, against: 'express-ws-stack', guard: 'guard-express', least: 1.1 },
];

export const handshakeTargets = { known: 1.1, fresh: 1.5, refused: 0.8 };
export const ownWorkTarget = 0.5;
/** Bytes beyond bare ws. */
export const memoryTarget = 1_024;
/** How much more a message may cost with the most open connections than with the fewest. */
export const flatTarget = 1.1;
