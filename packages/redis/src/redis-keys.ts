export type Kind = 'ban' | 'banned' | 'rate' | 'slots' | 'share' | 'value' | 'news';

/**
 * Maps the core's names to Redis keys. `handshake 203.0.113.7` becomes `sallyport:rate:{203.0.113.7}:handshake`: all
 * keys of one address or identity share a hash tag, and so a slot of a Cluster.
 */
export class Keys {
  constructor(readonly prefix: string) {}

  of(kind: Kind, name: string): string {
    const space = name.indexOf(' ');
    // A name chosen by a client must not end the hash tag or equal another key.
    const tag = name.slice(space + 1).replace(/[%}]/g, encodeURIComponent);
    return `${this.prefix}:${kind}:{${tag}}${space === -1 ? '' : `:${name.slice(0, space)}`}`;
  }

  get channel(): string {
    return `${this.prefix}:news`;
  }
}
