import type { Envelope } from './envelope.ts';
import { flat } from './flat.ts';
import { jsonRpc } from './json-rpc.ts';
import { nested } from './nested.ts';

/** How messages are written: `policy.envelope`. */
export type EnvelopeName = 'flat' | 'nested' | 'json-rpc';

export const envelopes: Readonly<Record<EnvelopeName, Envelope>> = { flat, nested, 'json-rpc': jsonRpc };
