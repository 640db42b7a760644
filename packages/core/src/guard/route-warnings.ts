import type { Route } from './route.ts';
import type { Warnings } from './warnings.ts';

/** Milliseconds: a ping has to be through before a proxy's 60 s are over. */
const LONGEST_HEARTBEAT = 55_000;

/** Warns of what is allowed in a route, but is seldom meant. */
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
