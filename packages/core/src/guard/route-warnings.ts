import type { Route } from './route.ts';
import type { Warnings } from './warnings.ts';

/** Milliseconds. A ping must arrive before the proxy's usual timeout of 60 s. */
const LONGEST_HEARTBEAT = 55_000;

/** Warns of settings that are allowed but probably not intended. */
export function warnAboutRoute({ liveness, rules }: Route, warnings: Warnings): void {
  if (liveness.heartbeat > LONGEST_HEARTBEAT && Number.isFinite(liveness.heartbeat)) {
    warnings.warn(
      'heartbeat',
      {},
      'limits.heartbeat is longer than the 60 s after which most proxies cut a silent connection',
    );
  }
  if ([...rules.types.values()].some(({ check }) => !check.accelerated)) {
    warnings.warn(
      'codegen',
      {},
      'code generation is not allowed here, so every schema check is some hundred times slower',
    );
  }
}
