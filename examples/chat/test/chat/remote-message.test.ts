import { expect, test } from '@jest/globals';
import { checkRemoteMessage } from '../../chat/remote-message.ts';

const said = { room: 'hall', user: 'bob', text: 'hello', at: 1 };

test('checkRemoteMessage returns a valid message, without direction marks and scripts', () => {
  expect(checkRemoteMessage(said)).toEqual(said);
  expect(
    checkRemoteMessage({ ...said, text: 'a\u202eb', html: '<b onclick="x()">a</b><script>x()</script>' }),
  ).toEqual({
    ...said,
    text: 'ab',
    html: '<b>a</b>',
  });
});

test.each([
  ['undefined', undefined],
  ['a string', 'hello'],
  ['a text that is a number', { ...said, text: 5 }],
  ['a text that is too long', { ...said, text: 'x'.repeat(501) }],
  ['an empty room', { ...said, room: '' }],
  ['a user name that is too long', { ...said, user: 'x'.repeat(33) }],
  ['markup that is too long', { ...said, html: 'x'.repeat(2_001) }],
  ['an unknown property', { ...said, id: 7 }],
])('checkRemoteMessage returns undefined for %s', (_what, value) => {
  expect(checkRemoteMessage(value)).toBeUndefined();
});
