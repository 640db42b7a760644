import type { Server } from 'node:http';
import { afterEach } from '@jest/globals';
import { serve } from '../contract/hosts/host.ts';
import { type Answer, admitted, type HandshakeOptions, Wire } from './wire.ts';

type Connecting = { readonly tls?: boolean };

/** Listens with servers that a suite made, and opens connections to them. Both end with the test that made them. */
export function servers() {
  const closing: (() => Promise<void>)[] = [];
  const wires: Wire[] = [];
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  const keep = (wire: Wire): Wire => {
    wires.push(wire);
    return wire;
  };
  const dial = async (port: number, connection?: Connecting): Promise<Wire> =>
    keep(await Wire.open(port, connection));
  return {
    /** Listens on a free port of loopback, and returns it. */
    async listen(server: Server): Promise<number> {
      const { port, close } = await serve(server);
      closing.push(close);
      return port;
    },
    dial,
    /** A connection whose handshake was answered with 101. */
    async open(port: number, options?: HandshakeOptions, connection?: Connecting): Promise<Wire> {
      return keep(await admitted(port, options, connection));
    },
    /** Everything that the server sends until it ends the connection. */
    async refused(port: number, options?: HandshakeOptions, connection?: Connecting): Promise<Answer> {
      return (await dial(port, connection)).handshake(options).answer();
    },
  };
}
