import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';

/** Demands an anti-forgery token beside an ambient credential. */
export interface CsrfOption {
  /** The query parameter that holds the token. It is removed from the URL before the application sees it. */
  readonly query: string;
  /** Whether the token belongs to this session. Only `true` passes. Compare in constant time. */
  readonly verify: (context: {
    readonly token: string;
    readonly identity: Identity;
    readonly request: RequestView;
  }) => MaybePromise<boolean>;
}
