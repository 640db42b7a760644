import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';

/** An anti-forgery token beside an ambient credential, for applications that use one. */
export interface CsrfOption {
  /** The query parameter that holds it; it is scrubbed from the URL. */
  readonly query: string;
  /** Whether it is this session's. Only `true` passes; compare in constant time. */
  readonly verify: (context: {
    readonly token: string;
    readonly identity: Identity;
    readonly request: RequestView;
  }) => MaybePromise<boolean>;
}
