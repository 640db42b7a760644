import type { MaybePromise } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
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

export function checkCsrf(csrf: unknown): void {
  if (csrf === undefined) return;
  const { query, verify, ...rest } = (csrf ?? {}) as Partial<CsrfOption>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new PolicyError(`policy.csrf.${unknown}`, 'unknown option', "Use 'query' and 'verify'.");
  if (typeof query !== 'string' || query === '' || typeof verify !== 'function') {
    throw new PolicyError(
      'policy.csrf',
      'it needs a query parameter and a verify function',
      "Give { query: 'csrf', verify }.",
    );
  }
}
