import { parseArgs } from 'node:util';

export const HOSTS = ['fastify', 'express', 'koa', 'ws'] as const;
export type HostName = (typeof HOSTS)[number];

export interface DemoArguments {
  readonly host: HostName;
  readonly port: number;
  readonly tls: boolean;
  readonly silent: boolean;
  /** The URL of a Redis that several nodes share. */
  readonly redis?: string | undefined;
}

const USAGE = `Usage: demo [--host ${HOSTS.join('|')}] [--port N] [--tls] [--redis URL] [--silent]

  --host    what serves the chat (default: fastify)
  --port    its port, and the attacker's page on the next one (default: 3000; 0: any free ports)
  --tls     https: with a self-signed certificate
  --redis   several nodes on one Redis are one chat: redis://127.0.0.1:6379, say (default: this process alone)
  --silent  keep the guard's warnings off the console`;

/** Thrown for wrong arguments. The message has the problem and the usage. */
export class UsageError extends Error {
  constructor(problem: string) {
    super(`${problem}\n\n${USAGE}`);
  }
}

/** @throws UsageError for an unknown argument, and for a value that is out of range. */
export function parseArguments(args: readonly string[]): DemoArguments {
  const values = read(args);
  const { host = 'fastify', port = '3000', tls = false, silent = false, redis } = values;
  if (!isHost(host)) throw new UsageError(`--host ${host}: there is no such host.`);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    throw new UsageError(`--port ${port}: that is no port between 0 and 65535.`);
  if (redis !== undefined && !isRedisUrl(redis))
    throw new UsageError('--redis: that is no URL such as redis://127.0.0.1:6379, or rediss:// for TLS.');
  return { host, port: Number(port), tls, silent, redis };
}

function read(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        tls: { type: 'boolean' },
        silent: { type: 'boolean' },
        redis: { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function isHost(name: string): name is HostName {
  return (HOSTS as readonly string[]).includes(name);
}

function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol) && new URL(text).hostname !== '';
}
