/** A key as a step of a JSON Pointer (RFC 6901 §3). */
export function escapeStep(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The key that a step names in the fragment of a `$ref` (RFC 6901 §6); `undefined` if its percent-encoding is invalid. */
export function keyOfStep(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
