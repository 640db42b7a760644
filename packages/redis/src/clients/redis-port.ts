import type { Deadline } from '../deadline.ts';
import type { Script } from '../script.ts';

/** What a client can be asked for right now. */
export type ClientState =
  | 'ready'
  /** It is connecting: a command would wait in the client's own queue, for who knows how long. */
  | 'offline'
  /** It will not connect again by itself. */
  | 'closed';

/** Who hears what is published on a channel. */
export interface ChannelListener {
  message(text: string): void;
  /** Subscribed, for the first time or again: what was published before may have been missed. */
  subscribed(): void;
}

export interface Subscription {
  /** Subscribes again where that was lost. Called every few seconds. */
  refresh(): void;
  close(): void;
}

/** All that the store asks of a Redis client, whichever it is. */
export interface RedisPort {
  /** Whether keys of one script have to be in one hash slot. */
  readonly cluster: boolean;
  readonly state: ClientState;
  /** Resolves once the client is ready; rejects when it is closed, and at the deadline. */
  whenReady(deadline: Deadline): Promise<void>;
  /** Runs a script by its digest; rejects with NOSCRIPT where Redis does not know it. */
  evalsha(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  eval(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Listens on a connection of its own. */
  subscribe(channel: string, listener: ChannelListener): Subscription;
}
