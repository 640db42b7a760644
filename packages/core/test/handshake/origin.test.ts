import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkOrigin,
  compileOrigins,
  isCanonical,
  isUnvouched,
  unsafeAllowAnyOrigin,
} from '../../src/handshake/origin.ts';
import { deny } from '../../src/vocabulary/decision.ts';
import type { RequestView } from '../../src/vocabulary/ports.ts';
import { bareThenable } from '../support/thenable.ts';

const VIEW: RequestView = {
  target: '/chat',
  path: '/chat',
  host: 'app.example.com',
  origin: undefined,
  address: '203.0.113.7',
  secure: true,
  native: undefined,
};
const LIST = [
  'https://app.example.com',
  'https://*.example.org',
  'http://localhost:3000',
  'https://*.example.net:8443',
];
const listed = compileOrigins(LIST);
const allows = (origin: string, policy = listed, view: Partial<RequestView> = {}) =>
  policy.allows(origin, { ...VIEW, ...view });

describe('a list', () => {
  test.each([
    'https://app.example.com',
    'http://localhost:3000',
    'https://a.example.org',
    'https://xn--bcher-kva.example.org',
    'https://a.example.net:8443',
  ])('a list of origins allows %s', (origin) => {
    expect(allows(origin)).toBe(true);
  });

  test.each([
    ['another scheme', 'http://app.example.com'],
    ['another port', 'https://app.example.com:8443'],
    ['the default port, spelt out', 'https://app.example.com:443'],
    ['a longer name', 'https://app.example.com.evil.example'],
    ['a name that ends alike', 'https://evilapp.example.com'],
    ['a sibling', 'https://other.example.com'],
    ['the parent', 'https://example.com'],
    ['upper case', 'https://APP.example.com'],
    ['an upper-case scheme', 'HTTPS://app.example.com'],
    ['a trailing dot', 'https://app.example.com.'],
    ['a trailing slash', 'https://app.example.com/'],
    ['a path', 'https://app.example.com/x'],
    ['a query', 'https://app.example.com?x'],
    ['a fragment', 'https://app.example.com#x'],
    ['a user', 'https://app.example.com@evil.example'],
    ['an own user', 'https://user@app.example.com'],
    ['a back slash', 'https://evil.example\\@app.example.com'],
    ['no slashes', 'https:app.example.com'],
    ['white space in front', ' https://app.example.com'],
    ['white space behind', 'https://app.example.com '],
    ['a tab inside', 'https://app.exa\tmple.com'],
    ['two origins', 'https://app.example.com https://evil.example'],
    ['two origins with a comma', 'https://app.example.com, https://app.example.com'],
    ['a percent escape', 'https://app%2Eexample.com'],
    ['letters beyond ASCII', 'https://b\u00fccher.example.org'],
    ['a full-width dot', 'https://app\uff0eexample.com'],
    ['the bare domain of a star', 'https://example.org'],
    ['two labels before it', 'https://a.b.example.org'],
    ['no label before it', 'https://.example.org'],
    ['a name that only ends like it', 'https://evilexample.org'],
    ['a star for a star', 'https://*.example.org'],
    ['a star without its port', 'https://a.example.net'],
    ['a star with another port', 'https://a.example.org:8443'],
    ['a star with another scheme', 'http://a.example.org'],
    ['a star and a trailing dot', 'https://a.example.org.'],
    ['a star and upper case', 'https://A.example.org'],
    ['localhost without its port', 'http://localhost'],
    ['loopback by address', 'http://127.0.0.1:3000'],
    ['nothing', ''],
    ['a star', '*'],
    ['a file', 'file://'],
    ['data', 'data:text/html,x'],
    ['a blob of an allowed page', 'blob:https://app.example.com/1-2-3'],
    ['a socket', 'wss://app.example.com'],
  ])('a list of origins denies %s', (_, origin) => {
    expect(allows(origin)).toBe(false);
  });
});

describe('entries are brought into the form that browsers send', () => {
  test.each([
    ['https://APP.Example.com', 'https://app.example.com'],
    ['HTTPS://app.example.com', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80', 'http://app.example.com'],
    ['https://b\u00fccher.example', 'https://xn--bcher-kva.example'],
    ['http://[0:0::1]:3000', 'http://[::1]:3000'],
    ['http://0x7f.1', 'http://127.0.0.1'],
    ['https://*.B\u00dcCHER.example', 'https://a.xn--bcher-kva.example'],
    ['https://*.example.com:443', 'https://a.example.com'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
  ])('entry %s is compiled to the origin %s', (entry, origin) => {
    expect(allows(origin, compileOrigins([entry]))).toBe(true);
  });

  test('an origin with a scheme unknown to the URL standard is compared letter by letter', () => {
    const policy = compileOrigins(['capacitor://localhost']);
    for (const other of [
      'capacitor://localhost/',
      'Capacitor://localhost',
      'capacitor://LOCALHOST',
      'ionic://localhost',
    ]) {
      expect(allows(other, policy)).toBe(false);
    }
  });

  test.each([
    ['*', /every page.*unsafeAllowAnyOrigin/],
    ['null', /not an origin/],
    ['', /not an origin/],
    ['app.example.com', /not an origin.*scheme and host/],
    ['https://app.example.com/', /ends in a slash/],
    ['https://app.example.com/x', /not a host name/],
    ['https://user@app.example.com', /not a host name/],
    ['https://app.example.com?x', /not a host name/],
    ['https://app.example.com.', /trailing dot/],
    ['https://app example.com', /not a host name/],
    ['https://*.*.example.com', /not a host name/],
    ['https://a*.example.com', /not a host name/],
    ['https://a.*.example.com', /not a host name/],
    ['https://*', /not a host name/],
    ['https://*.com', /everybody who registers/],
    ['https://*.co.uk', /everybody who registers/],
    ['https://*.github.io', /everybody who registers/],
    ['https://*.127.0.0.1', /everybody who registers/],
    ['wss://app.example.com', /address of a socket.*https:\/\//],
    ['ws://localhost:3000', /address of a socket.*'http:\/\//],
    ['file://', /not an origin that a browser sends/],
    ['data:text/html,x', /not an origin/],
    ['https://app.example.com:99999', /not a host name/],
    [7, /not an origin/],
  ])('entry %s in policy.origins is refused', (entry, message) => {
    expect(() => compileOrigins([entry as string])).toThrow(message);
  });
});

describe('the same origin, where none is stated', () => {
  const same = compileOrigins(undefined);
  test.each([
    ['https://app.example.com', {}, true],
    ['http://app.example.com', {}, false],
    ['http://app.example.com', { secure: false }, true],
    ['https://app.example.com:8443', {}, false],
    ['https://app.example.com:8443', { host: 'app.example.com:8443' }, true],
    ['https://app.example.com', { host: 'app.example.com:443' }, true],
    ['https://app.example.com', { host: 'APP.example.com' }, true],
    ['http://[::1]:3000', { host: '[::1]:3000', secure: false }, true],
    ['https://other.example.com', {}, false],
    ['https://app.example.com.', { host: 'app.example.com.' }, false],
    ['null', { host: '' }, false],
  ])('without policy.origins, %s for the request %j: allowed %s', (origin, view, expected) => {
    expect(allows(origin, same, view)).toBe(expected);
  });
});

describe('a function', () => {
  test('an origin function is asked about canonical origins only, and only true allows', async () => {
    const asked: string[] = [];
    const answers: Record<string, unknown> = {
      'https://a.example': true,
      'https://b.example': 'yes',
      'https://c.example': 1,
    };
    const policy = compileOrigins((origin) => {
      asked.push(origin);
      return answers[origin] as boolean;
    });
    expect(allows('https://a.example', policy)).toBe(true);
    for (const origin of [
      'https://b.example',
      'https://c.example',
      'https://d.example',
      'https://A.example',
      'https://a.example/',
    ]) {
      expect(allows(origin, policy)).toBe(false);
    }
    expect(asked).toEqual([
      'https://a.example',
      'https://b.example',
      'https://c.example',
      'https://d.example',
    ]);
  });

  test.each([
    [Promise.resolve(true), true],
    [Promise.resolve('true'), false],
    [Promise.resolve(false), false],
    [bareThenable(false), false],
    [bareThenable(true), true],
  ])(
    'an origin function that answers with a promise allows only if it resolves to true, answer %#',
    async (answer, expected) => {
      const policy = compileOrigins(() => answer as Promise<boolean>);
      const denial = await checkOrigin('https://a.example', false, policy, VIEW);
      expect(denial === undefined).toBe(expected);
    },
  );
});

describe('a missing or null Origin', () => {
  test.each([undefined, 'null'])(
    'Origin %s passes with an explicit credential and is denied with an ambient one',
    (origin) => {
      for (const policy of [
        listed,
        compileOrigins(undefined),
        compileOrigins(unsafeAllowAnyOrigin),
        compileOrigins(() => true),
      ]) {
        expect(checkOrigin(origin, false, policy, VIEW)).toBeUndefined();
        expect(checkOrigin(origin, true, policy, VIEW)).toMatchObject({ reason: 'origin_denied' });
      }
    },
  );

  test.each(['NULL', 'Null', ' null', 'null null', ''])(
    'Origin %j is denied even with an explicit credential',
    (origin) => {
      expect(checkOrigin(origin, false, listed, VIEW)).toMatchObject({ reason: 'origin_denied' });
      expect(checkOrigin(origin, false, compileOrigins(unsafeAllowAnyOrigin), VIEW)).toMatchObject({
        reason: 'origin_denied',
      });
    },
  );
});

describe('whom nobody vouches for', () => {
  const any = compileOrigins(unsafeAllowAnyOrigin);
  const denial = deny('origin_denied', '');
  test.each([
    // Not sent by a page.
    [undefined, undefined, listed, false],
    [undefined, denial, any, false],
    // A page that is listed, of the same origin, or that the application knows.
    ['https://app.example.com', undefined, listed, false],
    ['https://app.example.com', undefined, compileOrigins(undefined), false],
    ['https://app.example.com', undefined, compileOrigins(() => true), false],
    // Any page at all, a sandboxed one, or one that was only reported.
    ['https://app.example.com', undefined, any, true],
    ['null', undefined, listed, true],
    ['https://evil.example', denial, listed, true],
  ])(
    'a handshake from Origin %j may come from a page of another site or not, case %#',
    (origin, verdict, policy, expected) => {
      expect(isUnvouched(origin, verdict, policy)).toBe(expected);
    },
  );
});

describe('properties', () => {
  const label = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/)
    .filter((text) => !text.startsWith('xn--'));
  const odd = fc.constantFrom(
    '', '.', '..', '/', '\\', '@', ':', ':443', ':8443', ':0443', '#', '?', '%2e', ' ', '\t', 'A', '\u00fc', '\u3002', 'evil', ',', '*', 'null',
  ); // biome-ignore format: a list of odd ends reads best as a block
  const scheme = fc.constantFrom(
    'https://',
    'http://',
    'HTTPS://',
    'https:',
    'https:/',
    'https:\\\\',
    'wss://',
    '//',
    'file://',
    '',
  );
  const host = fc
    .tuple(
      fc.array(label, { maxLength: 3 }),
      fc.constantFrom('example.com', 'example.org', 'evilexample.org', 'localhost', '127.0.0.1', '[::1]'),
    )
    .map(([labels, domain]) => [...labels, domain].join('.'));
  const header = fc.tuple(odd, scheme, odd, host, odd, odd).map((parts) => parts.join(''));

  test('property: an allowed header is its own canonical serialization and on the list', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          header,
          fc.tuple(fc.constantFrom('https://', 'http://'), host).map((parts) => parts.join('')),
        ),
        (origin) => {
          if (!allows(origin)) return;
          expect(new URL(origin).origin).toBe(origin);
          const onTheList = LIST.some((entry) => {
            const [before, after] = entry.split('*') as [string, string | undefined];
            if (after === undefined) return entry === origin;
            const between = origin.slice(before.length, origin.length - after.length);
            return origin.startsWith(before) && origin.endsWith(after) && /^[a-z0-9-]+$/.test(between);
          });
          expect(onTheList).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('property: a star stands for exactly one whole label', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 0, maxLength: 3 }), (labels) => {
        const origin = `https://${[...labels, 'example.org'].join('.')}`;
        expect(allows(origin)).toBe(labels.length === 1 && isCanonical(origin));
      }),
    );
  });

  test('property: a listed name with anything added to it is denied', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LIST.filter((entry) => !entry.includes('*'))),
        odd,
        odd,
        (entry, before, after) => {
          const [scheme, name] = entry.split('://');
          for (const origin of [`${scheme}://${before}${name}${after}`, `${before}${entry}${after}`]) {
            expect(allows(origin)).toBe(LIST.includes(origin));
          }
        },
      ),
    );
  });

  test('property: no text makes the check of origins throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), header, fc.webUrl(), fc.string({ unit: 'binary' })), (origin) => {
        for (const policy of [listed, compileOrigins(undefined), compileOrigins(unsafeAllowAnyOrigin)]) {
          expect(typeof allows(origin, policy)).toBe('boolean');
        }
      }),
    );
  });
});
