import type { EventHub } from '../vocabulary/events.ts';
import type { Clock, Logger } from '../vocabulary/ports.ts';

/** Milliseconds. At most one line for each reason is written in this time; the others are counted. */
const QUIET = 10_000;

/** Writes to the console, one line for each warning. */
export const consoleLogger: Logger = {
  // biome-ignore lint/suspicious/noConsole: the console is where an application without a logger looks
  warn: (details, text) => console.warn(`sallyport: ${text} ${JSON.stringify(details)}`),
};

/** Writes to the host's log why something was denied, so that a developer sees why a client fails. Limits the rate of lines. */
export class Warnings {
  /** The last line of each topic. There are only a few topics, since reasons and stages are few. */
  readonly #last = new Map<string, { at: number; suppressed: number }>();

  constructor(
    public logger: Logger | undefined,
    readonly clock: Clock,
  ) {}

  follow(events: EventHub): void {
    events.on('handshake.denied', ({ reason, stage, detail, address, host, origin, path }) =>
      this.warn(reason, { reason, stage, address, host, origin, path }, `handshake denied: ${detail}`),
    );
    events.on('handshake.reported', ({ reason, stage, detail, address, host, origin, path }) =>
      this.warn(
        `report ${reason}`,
        { reason, stage, address, host, origin, path },
        `would be denied: ${detail}`,
      ),
    );
    events.on('message.denied', ({ reason, stage, pointer, subject, address }) =>
      this.warn(reason, { reason, stage, pointer, subject, address }, 'message denied'),
    );
    events.on('fault', ({ stage, error }) =>
      this.warn(`fault ${stage}`, { stage, err: error }, 'a fault, so it was denied'),
    );
  }

  warn(topic: string, details: object, text: string): void {
    if (this.logger === undefined) return;
    const now = this.clock.monotonic();
    const last = this.#last.get(topic);
    if (last !== undefined && now - last.at < QUIET) {
      last.suppressed++;
      return;
    }
    const suppressed = last?.suppressed ?? 0;
    this.#last.set(topic, { at: now, suppressed: 0 });
    this.logger.warn(suppressed === 0 ? details : { ...details, suppressed }, text);
  }
}
