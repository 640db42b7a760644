import type { IncomingMessage } from 'node:http';
import type { AnyGuard, MaybePromise } from '@sallyport/core';
import { type Admission, type Denial, hostGuard, isPromise } from '@sallyport/core/host';
import type { Upgrade } from './upgrade.ts';

/** A route with a guard. */
export interface GuardedRoute {
  /** The guard whose inner door decides. */
  readonly guard: AnyGuard;
  /** The host's request object, which the policy's hooks see as `request.native`. */
  readonly native: unknown;
}

/** A route that is public by name: it has no inner door. The outer door has been passed all the same. */
export interface PublicRoute {
  readonly public: true;
}

type Route = GuardedRoute | PublicRoute;

/** What a host tells and does for each upgrade. */
export interface UpgradeHooks {
  /** The route of an upgrade, asked before the inner door. A denial refuses the upgrade. */
  readonly route: (request: IncomingMessage) => Route | Denial | Promise<Route | Denial>;
  /**
   * Called after the inner door has admitted an upgrade, for what the application still does about its response, such as
   * saving a session and setting its cookie. The 101 waits for it, for at most `limits.closeTimeout`; a rejection refuses
   * with `internal`. Default: nothing.
   */
  readonly beforeSwitching?: (request: IncomingMessage) => unknown;
}

/** An upgrade that a guard's inner door has admitted. */
export interface GuardedDecision {
  readonly admission: Admission;
  readonly guard: AnyGuard;
}

export type Decision = GuardedDecision | PublicRoute;

/** Looks up the route and runs its inner door. A refusal is sent at once, and then the result is `undefined`. */
export function decide(
  upgrade: Upgrade,
  findRoute: UpgradeHooks['route'],
): MaybePromise<Decision | undefined> {
  let found: MaybePromise<Route | Denial>;
  try {
    found = findRoute(upgrade.request);
  } catch (error) {
    return refuseFault(upgrade, error);
  }
  if (!isPromise(found)) return runInnerDoor(upgrade, found);
  return found.then(
    (route) => runInnerDoor(upgrade, route),
    (error) => refuseFault(upgrade, error),
  );
}

function runInnerDoor(upgrade: Upgrade, route: Route | Denial): MaybePromise<Decision | undefined> {
  if ('denied' in route) {
    upgrade.refuse(upgrade.handshake.deny(route.at('route')));
    return undefined;
  }
  if ('public' in route) return route;
  const { guard, native } = route;
  const settle = (result: Denial | Admission): Decision | undefined => {
    if (!result.denied) return { admission: result, guard };
    upgrade.refuse(result, guard);
    return undefined;
  };
  const verdict = hostGuard(guard).admit(upgrade.handshake, native);
  return isPromise(verdict) ? verdict.then(settle) : settle(verdict);
}

/** Runs `beforeSwitching`. It may refuse the upgrade after all. */
export function prepare(upgrade: Upgrade, { beforeSwitching }: UpgradeHooks): MaybePromise<void> {
  try {
    const work = beforeSwitching?.(upgrade.request);
    if (isPromise(work)) return inTime(upgrade, work).catch((error) => refuseFault(upgrade, error));
  } catch (error) {
    refuseFault(upgrade, error);
  }
}

/** Waits for the application's work, but no longer than `limits.closeTimeout`, and not after the client has left. */
async function inTime({ guard, socket }: Upgrade, work: Promise<unknown>): Promise<void> {
  let stopWaiting = (): void => {};
  const closedOrLate = new Promise<void>((resolve, reject) => {
    const host = hostGuard(guard);
    const cancel = host.schedule(host.limits.closeTimeout, () =>
      reject(new Error('the application did not finish its response to an upgrade in time')),
    );
    socket.once('close', resolve);
    stopWaiting = () => {
      cancel();
      socket.off('close', resolve);
    };
  });
  try {
    await Promise.race([work, closedOrLate]);
  } finally {
    stopWaiting();
  }
}

/** Refuses with `internal`, because the host's code threw before anything was sent. */
function refuseFault(upgrade: Upgrade, error: unknown): undefined {
  upgrade.refuse(upgrade.handshake.fault(error));
}
