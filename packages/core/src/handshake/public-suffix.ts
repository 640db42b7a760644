import { getPublicSuffix, parse } from 'tldts';

/**
 * Whether anybody can register a name right under this one (`com`, `co.uk`, `github.io`), or it is an address or a
 * bare top-level name: nothing that a `*` may sit on. Asked at construction only.
 */
export function isPublicSuffix(name: string): boolean {
  if (parse(name).isIp === true) return true;
  return getPublicSuffix(name, { allowPrivateDomains: true }) === name && name !== 'localhost';
}
