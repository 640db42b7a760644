import type { Host } from './host.ts';
import { wsHost } from './ws.ts';

/** Every host that a guard can stand before. */
export const hosts: readonly Host[] = [wsHost];
