import { expect, test } from '@jest/globals';
import { saidElsewhere } from '../../chat/elsewhere.ts';

const said = { room: 'hall', user: 'bob', text: 'hello', at: 1 };

test('takes what could have been said here, and nothing that would hide, deceive or run', () => {
  expect(saidElsewhere(said)).toEqual(said);
  expect(
    saidElsewhere({ ...said, text: 'a\u202eb', html: '<b onclick="x()">a</b><script>x()</script>' }),
  ).toEqual({
    ...said,
    text: 'ab',
    html: '<b>a</b>',
  });
});

test.each([
  ['nothing', undefined],
  ['no message', 'hello'],
  ['a text that is none', { ...said, text: 5 }],
  ['a text too long', { ...said, text: 'x'.repeat(501) }],
  ['an empty room', { ...said, room: '' }],
  ['a user too long', { ...said, user: 'x'.repeat(33) }],
  ['markup too long', { ...said, html: 'x'.repeat(2_001) }],
  ['one property more', { ...said, id: 7 }],
])('refuses %s', (_what, value) => {
  expect(saidElsewhere(value)).toBeUndefined();
});
