import { type AnyGuard, PolicyError } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import type { WebSocketServer } from 'ws';

/**
 * Refuses options of a ws server that the policy replaces and that say something else: without this they would be passed over.
 * `option` names the ws server, such as `guardServer(…, wss, …)`.
 *
 * @throws PolicyError that names the option of the policy to write instead.
 */
export function refuseReplacedOptions(wss: WebSocketServer, guard: AnyGuard, option: string): void {
  const { handleProtocols, perMessageDeflate } = wss.options;
  if (typeof handleProtocols === 'function')
    throw new PolicyError(
      option,
      'its handleProtocols would never be asked, since the policy selects the subprotocol',
      'Leave it out, and list them in policy.subprotocols.',
    );
  const compresses = perMessageDeflate !== undefined && perMessageDeflate !== false;
  if (compresses && !hostGuard(guard).limits.compression)
    throw new PolicyError(
      option,
      'its perMessageDeflate would have no effect, since the policy allows no compression',
      'Leave it out, or say compression: true in the policy.',
    );
}

/** The lower one of the policy's limit and that of the ws server. In ws, 0 and nothing mean no limit. */
export function stricter(policy: number, own: unknown): number {
  return typeof own === 'number' && own > 0 ? Math.min(policy, own) : policy;
}
