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

/** The default of ws, which no application has asked for. */
const WS_PAYLOAD = 100 * 1024 * 1024;

/** The lower one of the policy's limit on messages and the `maxPayload` of a ws server, in bytes. In ws, 0 means no limit. */
export function lowerPayload(policy: number, own: unknown): number {
  return typeof own === 'number' && own > 0 && own !== WS_PAYLOAD ? Math.min(policy, own) : policy;
}
