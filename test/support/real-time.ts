import { type Clock, systemClock } from '@sallyport/core';
import { NOW } from './chat-policy.ts';

/** Time that passes by itself, from when the tests take place: their tokens are of that time. */
export const realTime: Clock = { ...systemClock, now: () => NOW * 1_000 + performance.now() };
