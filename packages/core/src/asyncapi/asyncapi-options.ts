import type { AnyGuard } from '../guard/guard.ts';
import { requireGuard } from '../guard/host-access.ts';
import { asObject, oneOf, optionPath, refuseUnknown } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { AsyncApiServer } from './document.ts';

/** A guard and the path of its route. */
export interface AsyncApiChannel {
  readonly guard: AnyGuard;
  /** The path of the route, such as `/chat` or `/rooms/:room`. */
  readonly path: string;
}

/** What `asyncApi` writes into the document that no guard knows. */
export interface AsyncApiOptions {
  /** The name of the API. */
  readonly title: string;
  /** The version of the API. */
  readonly version: string;
  /** What the API is for, as CommonMark. Default: none. */
  readonly description?: string;
  /**
   * Where it is served by `wss`, such as `chat.example.com`: one server, called `default`. Default: not in the
   * document.
   */
  readonly host?: string;
  /** Where it is served, by name, instead of `host`. Default: not in the document. */
  readonly servers?: Readonly<Record<string, AsyncApiServer>>;
}

export function checkOptions(options: AsyncApiOptions): void {
  refuseUnknown(options, ['title', 'version', 'description', 'host', 'servers'], 'asyncApi()');
  const { title, version, host, servers } = options;
  for (const [name, value] of Object.entries({ title, version })) {
    if (typeof value !== 'string' || value === '')
      throw new PolicyError(optionPath('asyncApi()', name), 'it is missing', 'Give a text.');
  }
  if (host !== undefined && servers !== undefined)
    throw new PolicyError('asyncApi({ host })', 'the servers say it, too', 'Leave one of them out.');
  for (const [name, server] of Object.entries(asObject(servers, 'asyncApi({ servers })')))
    checkServer(server, optionPath('asyncApi({ servers })', name));
  if (host !== undefined) checkHost(host, 'asyncApi({ host })');
}

function checkServer(value: unknown, option: string): void {
  const server = asObject(value, option);
  refuseUnknown(server, ['host', 'protocol', 'pathname', 'title', 'description'], option);
  oneOf(server.protocol, ['wss', 'ws'], optionPath(option, 'protocol'));
  checkHost(server.host, optionPath(option, 'host'));
  if (server.pathname !== undefined) checkPath(server.pathname, optionPath(option, 'pathname'));
}

function checkHost(host: unknown, option: string): void {
  if (typeof host === 'string' && /^[^\s/?#@]+$/.test(host)) return;
  throw new PolicyError(option, 'it is no host', "Write 'chat.example.com', with its port where it has one.");
}

function checkPath(path: unknown, option: string): void {
  if (typeof path === 'string' && /^\/[^\s?#]*$/.test(path)) return;
  throw new PolicyError(option, 'it is no path', "Write '/chat'.");
}

export function entriesOf(
  channels: AnyGuard | AsyncApiChannel | readonly (AnyGuard | AsyncApiChannel)[],
): readonly { readonly guard: AnyGuard; readonly path: string | undefined }[] {
  const list = [channels].flat() as readonly (AnyGuard | AsyncApiChannel)[];
  const entries = list.map((entry) => {
    const isChannel = typeof entry === 'object' && entry !== null && 'guard' in entry;
    const channel = isChannel ? entry : { guard: entry, path: undefined };
    requireGuard(channel.guard, isChannel ? 'asyncApi().guard' : 'asyncApi()');
    return channel;
  });
  if (entries.length === 0)
    throw new PolicyError('asyncApi()', 'there is no guard', "Give { guard, path: '/chat' }.");
  const paths = new Set<string>();
  for (const { path } of entries) {
    if (path === undefined) continue;
    checkPath(path, 'asyncApi().path');
    if (paths.has(path))
      throw new PolicyError('asyncApi().path', `'${path}' is there twice`, 'Give each path one guard.');
    paths.add(path);
  }
  return entries;
}

/** By name; `undefined` without `host` and `servers`. */
export function serversOf({
  host,
  servers,
}: AsyncApiOptions): readonly (readonly [string, AsyncApiServer])[] | undefined {
  if (servers !== undefined) return Object.entries(servers);
  return host === undefined ? undefined : [['default', { host }]];
}
