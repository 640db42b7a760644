import { refuseUnknown } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

const PASSTHROUGH: unique symbol = Symbol('passthrough');

/** Messages of a protocol that the guard does not read. */
export interface Passthrough {
  readonly [PASSTHROUGH]: true;
  readonly text: boolean;
  readonly binary: boolean;
}

/**
 * For protocols with a validation of their own. The guard checks origin, authentication, size and rates, and passes
 * the content on unchanged. A frame of a kind that is not named closes with `frame_unsupported` (1003).
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, passthrough } from '@sallyport/core';
 *
 * export const guard = createGuard({
 *   auth: [anonymous()],
 *   messages: passthrough({ binary: true }),
 *   subprotocols: ['mqtt'],
 * });
 * ```
 */
export function passthrough(frames: { readonly text?: boolean; readonly binary?: boolean }): Passthrough {
  refuseUnknown(frames, ['text', 'binary'], 'passthrough()');
  const { text = false, binary = false } = frames;
  if (!(text || binary))
    throw new PolicyError('passthrough()', 'no kind of frame is let through', 'Say { text: true }.');
  return { [PASSTHROUGH]: true, text, binary };
}

export function isPassthrough(messages: unknown): messages is Passthrough {
  return typeof messages === 'object' && messages !== null && PASSTHROUGH in messages;
}
