import { type Denial, deny } from '../vocabulary/decision.ts';
import { isRecord } from '../wire/incoming.ts';
import { type Authenticator, chooseReader } from './authenticator.ts';

/** The `type` of the message that carries a credential. */
export const AUTH_TYPE = 'auth';

export interface PresentedInMessage {
  readonly authenticator: Authenticator;
  readonly credential: string;
}

/** Reads `{ "type": "auth", "token": … }`: one credential as text, and no other field. */
export function readAuthMessage(
  message: unknown,
  authenticators: readonly Authenticator[],
): PresentedInMessage | Denial {
  const fields = Object.entries(isRecord(message) ? message : {}).filter(([name]) => name !== 'type');
  const [field, ...more] = fields;
  if (field === undefined) return deny('credential_missing', 'the auth message holds no credential');
  if (more.length > 0) return deny('credential_ambiguous', 'the auth message holds more than one field');
  const [name, credential] = field;
  const readers = authenticators.filter(({ messageField }) => messageField === name);
  if (readers.length === 0 || typeof credential !== 'string') {
    return deny('credential_invalid', 'the auth message holds nothing that an authenticator reads');
  }
  return { authenticator: chooseReader(readers, credential), credential };
}
