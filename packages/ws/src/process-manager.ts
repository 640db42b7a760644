import type { AnyGuard } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';

/** Milliseconds after which PM2 kills a process that it has told to stop, unless `kill_timeout` says otherwise. */
const PM2_KILL_TIMEOUT = 1_600;

/** Whether PM2 has started this process. It copies its settings of the application into the environment. */
const isUnderPm2 = (): boolean => process.env.pm_id !== undefined;

/** Writes to the log that PM2 kills this process before its shutdown may be over, with the line to write. */
export function warnAboutKillTimeout(guard: AnyGuard, within: number): void {
  if (!isUnderPm2()) return;
  const killedAfter = Number(process.env.kill_timeout ?? process.env.PM2_KILL_TIMEOUT ?? PM2_KILL_TIMEOUT);
  if (!(within >= killedAfter)) return;
  hostGuard(guard).warn(
    'shutdown',
    `PM2 kills this process ${killedAfter} ms after it told it to stop, and the shutdown may take ${within} ms: ` +
      `write kill_timeout: ${within + 1_000} for it in ecosystem.config.cjs, or a shorter \`within\``,
  );
}

/** Whether PM2 sends the message `shutdown` in place of a signal (`shutdown_with_message`, which Windows needs). */
export function isAskedByMessage(): boolean {
  return isUnderPm2() && process.env.shutdown_with_message === 'true';
}

/**
 * Lets the process exit while its channel to a parent process is open. A listener for messages keeps the channel open: in each worker
 * `node:cluster` has one, and in each of its processes PM2.
 */
export function releaseChannel(): void {
  try {
    process.channel?.unref();
  } catch {
    // Jest gives a copy of `process` to its tests, with a channel that is none.
  }
}
