import { getPublicSuffix, parse } from 'tldts';

/** Whether anyone can register a name directly below this one (`com`, `github.io`). True for IP addresses as well. */
export function isPublicSuffix(name: string): boolean {
  if (parse(name).isIp === true) return true;
  return getPublicSuffix(name, { allowPrivateDomains: true }) === name && name !== 'localhost';
}
