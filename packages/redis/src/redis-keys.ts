/** What a key of the store holds. */
export type Kind = 'ban' | 'banned' | 'rate' | 'slots' | 'share' | 'value' | 'news';

/**
 * How the core's names become Redis keys. `handshake 203.0.113.7` is `sallyport:rate:{203.0.113.7}:handshake`: whatever
 * is about one address or identity has one hash tag, and so one slot of a Cluster.
 */
export class Keys {
  constructor(readonly prefix: string) {}

  of(kind: Kind, name: string): string {
    const space = name.indexOf(' ');
    // A name chosen by a client must neither end the tag nor look like another one's key.
    const tag = name.slice(space + 1).replace(/[%}]/g, encodeURIComponent);
    return `${this.prefix}:${kind}:{${tag}}${space === -1 ? '' : `:${name.slice(0, space)}`}`;
  }

  /** The channel on which the nodes tell each other what they have done. */
  get channel(): string {
    return `${this.prefix}:news`;
  }
}
