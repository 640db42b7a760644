// What `pnpm mutate` switches off in packages/fastify/src.
import { attack } from './paths.js';

export const mutations = [
  {
    stage: 'fastify',
    what: 'a WebSocket route needs no guard',
    file: 'packages/fastify/src/websocket-routes.ts',
    find: '(route) => route.guard === undefined,',
    replace: '() => false,',
    tests: attack('unguarded-route'),
  },
];
