import { afterEach } from '@jest/globals';
import type { Host, HostOptions, RunningHost } from '../contract/hosts/host.ts';
import { type Answer, admitted, type HandshakeOptions, Wire } from './wire.ts';

/** Starts applications and opens connections for a suite. Both end with the test that made them. */
export function applications() {
  const running: RunningHost[] = [];
  const wires: Wire[] = [];
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    await Promise.all(running.splice(0).map((host) => host.close()));
  });
  const keep = (wire: Wire): Wire => {
    wires.push(wire);
    return wire;
  };
  return {
    async start(host: Host, options: HostOptions): Promise<RunningHost> {
      const started = await host.start(options);
      running.push(started);
      return started;
    },
    /** A connection on which nothing was sent yet. */
    async dial({ port }: RunningHost, connection: { readonly tls?: boolean } = {}): Promise<Wire> {
      return keep(await Wire.open(port, connection));
    },
    /** A connection whose handshake was answered with 101. */
    async open({ port }: RunningHost, options?: HandshakeOptions, connection?: { readonly tls?: boolean }) {
      return keep(await admitted(port, options, connection));
    },
    /** Everything that the server sends until it ends the connection. */
    async refused(
      { port }: RunningHost,
      options?: HandshakeOptions,
      connection?: { readonly tls?: boolean },
    ): Promise<Answer> {
      return keep(await Wire.open(port, connection))
        .handshake(options)
        .answer();
    },
  };
}

/** The status and reason of a refusal, for short comparisons: `403 origin_denied`. */
export function verdict({ status, body }: Answer): string {
  if (status === 101) return 'admitted';
  return `${status} ${(JSON.parse(body) as { error: string }).error}`;
}
