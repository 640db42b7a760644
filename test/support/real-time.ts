import { type Clock, systemClock } from '@sallyport/core';
import { NOW } from './chat-policy.ts';

/** A clock that runs by itself, starting at the fixed time of the tests, for which their tokens are made. */
export const realTime: Clock = { ...systemClock, now: () => NOW * 1_000 + performance.now() };
