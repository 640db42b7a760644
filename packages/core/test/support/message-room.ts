import type { Identity } from '@sallyport/core';
import type { Denial } from '@sallyport/core/host';
import { MessageLedger } from '../../src/limits/message-ledger.ts';
import type { ValueBounds } from '../../src/message/parse.ts';
import { compileTypes, type MessageRules } from '../../src/message/rules.ts';
import type { UnknownProperties } from '../../src/message/schema.ts';
import type { Sender } from '../../src/message/sender.ts';
import { messageSettings } from '../../src/policy/message-settings.ts';
import { type EnvelopeName, envelopes } from '../../src/wire/envelopes.ts';
import { ManualClock } from './manual-clock.ts';

export const WIDE: ValueBounds = {
  depth: 32,
  keys: 1_000,
  items: 1_000,
  text: 65_536,
  number: Number.MAX_SAFE_INTEGER,
};

export interface RoomOptions extends Partial<Omit<MessageRules, 'types' | 'envelope' | 'bounds'>> {
  readonly envelope?: EnvelopeName;
  readonly bounds?: Partial<ValueBounds>;
  readonly unknownProperties?: UnknownProperties;
  readonly clock?: ManualClock;
}

/** The rules of a message room, as a route compiles them from a policy. */
export function rulesOf(
  messages: Readonly<Record<string, unknown>>,
  options: RoomOptions = {},
): MessageRules {
  const {
    envelope: name = 'flat',
    unknownProperties = 'refuse',
    clock = new ManualClock(),
    ...more
  } = options;
  const bounds = { ...WIDE, ...options.bounds };
  const rate = { interval: 1_000, burst: 100 };
  const envelope = envelopes[name];
  const maxBytes = options.maxBytes ?? 65_536;
  const limits = { message: maxBytes, messages: options.rate ?? rate };
  const types = compileTypes(messageSettings(messages, limits), {
    mergesType: envelope.mergesType,
    unknownProperties,
    maxBytes,
    bounds,
    bytes: false,
  });
  return {
    passthrough: undefined,
    codec: undefined,
    anyRule: [...types.values()].some(({ authorize }) => authorize !== undefined),
    maxBytes,
    rate,
    byteRate: { interval: 1, burst: 1_000_000 },
    reportSchema: false,
    reportSanitize: false,
    reportRate: false,
    renewal: false,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    ...more,
    types,
    envelope,
    bounds,
  };
}

/** Somebody who sends messages, and what was reported of them. */
export class TestSender implements Sender {
  readonly id = 'connection';
  readonly identity: Identity = { scheme: 'test', subject: 'alice', claims: {} };
  readonly address = '203.0.113.7';
  readonly path = '/chat';
  readonly subprotocol = undefined;
  readonly ledger = new MessageLedger();
  readonly reports: { readonly denial: Denial; readonly pointer: string | undefined }[] = [];

  reported(denial: Denial, pointer?: string): void {
    this.reports.push({ denial, pointer });
  }
}
