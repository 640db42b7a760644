// Each protection of the sources, and how to switch it off; one file for each folder of sources.
import { mutations as auth } from './auth.js';
import { mutations as connection } from './connection.js';
import { mutations as fastify } from './fastify.js';
import { mutations as guard } from './guard.js';
import { mutations as handshake } from './handshake.js';
import { mutations as limits } from './limits.js';
import { mutations as message } from './message.js';
import { mutations as policy } from './policy.js';
import { mutations as redis } from './redis.js';
import { mutations as wire } from './wire.js';
import { mutations as ws } from './ws.js';

/**
 * The text `find` occurs exactly once in `file`. `tests` are those that are asked first; when they stay green, all of the
 * contract and the attacks are. Of each `stage`, `pnpm mutate --each-stage` takes the first.
 */
export const mutations = [
  ...policy,
  ...handshake,
  ...auth,
  ...message,
  ...wire,
  ...connection,
  ...limits,
  ...guard,
  ...ws,
  ...fastify,
  ...redis,
];
