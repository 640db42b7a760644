/**
 * Whether a JSON Web Token is in its one canonical spelling (RFC 7515 §3.1, RFC 4648 §3.5): three base64url parts
 * without padding, white space or stray bits. Lenient decoders accept many spellings of one token.
 */
export function isCanonicalToken(token: string): boolean {
  const parts = token.split('.');
  return parts.length === 3 && parts.every(isCanonicalBase64Url);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function isCanonicalBase64Url(text: string): boolean {
  if (text === '' || !/^[A-Za-z0-9_-]+$/.test(text)) return false;
  const rest = text.length % 4;
  if (rest === 0) return true;
  if (rest === 1) return false;
  const unusedBits = rest === 2 ? 0b1111 : 0b11;
  return (ALPHABET.indexOf(text.slice(-1)) & unusedBits) === 0;
}
