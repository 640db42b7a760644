import type { Attack } from './attack.ts';
import { onBodies } from './hostile-bodies.ts';
import { onEnvelopes } from './hostile-envelopes.ts';

/** All attacks by their names. */
export const attacks: Readonly<Record<string, Attack>> = { ...onEnvelopes, ...onBodies };
