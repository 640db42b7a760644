import type { Deadline } from '../deadline.ts';
import type { Script } from '../script.ts';

export type ClientState =
  | 'ready'
  /** Connecting. A command would wait in the client's own queue without limit. */
  | 'offline'
  | 'closed';

export interface ChannelListener {
  message(text: string): void;
  /** Called for each subscription, also after a reconnect. Earlier messages may have been missed. */
  subscribed(): void;
}

export interface Subscription {
  /** Subscribes again if the subscription was lost. Called every few seconds. */
  refresh(): void;
  close(): void;
}

export interface RedisPort {
  /** Whether all keys of one script must be in one hash slot. */
  readonly cluster: boolean;
  readonly state: ClientState;
  whenReady(deadline: Deadline): Promise<void>;
  /** Runs a script by its digest. Rejects with NOSCRIPT if Redis does not know it. */
  evalsha(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  eval(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, listener: ChannelListener): Subscription;
}
