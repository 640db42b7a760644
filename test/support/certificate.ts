import { generate } from 'selfsigned';

/** A key, and a certificate for one host name that the key itself has signed. */
export async function selfSigned(name: string): Promise<{ readonly key: string; readonly cert: string }> {
  const extensions = [
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
  ] as const;
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    extensions: extensions as never,
  });
  return { key, cert };
}
